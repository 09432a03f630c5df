//! Alerts: how answers are shown, and which alerts still live.

use std::collections::HashMap;

use yenban_protocol::alert::{Alert, MessageType};
use yenban_protocol::record::{Act, Record};

use crate::error::Result;
use crate::patrol::time_of;
use crate::store::Key;
use crate::store::vault::Vault;

/// Follows an answer into the vault; anything else is left alone.
pub(crate) fn project(vault: &Vault, key: Key, record: &Record) -> Result<()> {
    match &record.act {
        Act::AlertAnswered { alert, answer } => vault.put_answer(alert, key, *answer as u8, time_of(&record.common).at_ms),
        _ => Ok(()),
    }
}

/// What each alert is now, in whatever order updates and cancels came.
///
/// An alert that another one refers to is `updated` or `cancelled`, also when that one came first; a
/// cancel itself is never shown. A drill takes nothing real off the screen, and nothing real a drill.
pub(crate) fn states<'a>(alerts: &[&'a Alert], now_ms: i64) -> HashMap<&'a str, &'static str> {
    let mut states: HashMap<&str, &'static str> = HashMap::new();
    let drills: HashMap<&str, bool> = alerts.iter().map(|alert| (alert.identifier.as_str(), alert.is_drill())).collect();
    for alert in alerts {
        let state = match alert.message_type {
            MessageType::Cancel => "cancel",
            _ if alert.expires_ms <= now_ms => "expired",
            _ => "live",
        };
        states.insert(&alert.identifier, state);
    }
    for alert in alerts {
        let state = match alert.message_type {
            MessageType::Alert => continue,
            MessageType::Update => "updated",
            MessageType::Cancel => "cancelled",
        };
        for reference in &alert.references {
            // A cancel wins over an update; an alert cannot take itself back.
            if reference != &alert.identifier
                && drills.get(reference.as_str()) == Some(&alert.is_drill())
                && let Some(of) = states.get_mut(reference.as_str())
                && *of != "cancel"
                && *of != "cancelled"
            {
                *of = state;
            }
        }
    }
    states
}
