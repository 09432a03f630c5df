//! What the commune told this phone, and what its member answers.

use serde_json::json;
use yenban_core::app::AlertInfo;

use super::Job;
use crate::fault::Result;
use crate::time::rfc3339;

/// `alerts`.
pub(super) fn list(job: &Job<'_>) -> Result<()> {
    let mut phone = job.open()?;
    let alerts = phone.alerts().map_err(|error| job.fault(&error))?;
    let rows: Vec<_> = alerts
        .iter()
        .map(|alert| {
            json!({
                "id": alert.id, "scope": alert.scope, "number": alert.number, "sender": alert.sender_name,
                "sent": rfc3339(alert.sent_ms), "expires": rfc3339(alert.expires_ms),
                "severity": alert.severity, "urgency": alert.urgency, "headline": alert.headline,
                "description": alert.description, "instruction": alert.instruction, "drill": alert.drill,
                "state": alert.state, "answer": alert.answer, "hamlets": alert.hamlets,
            })
        })
        .collect();
    job.out.document(&json!(rows))?;
    let words = job.words();
    if alerts.is_empty() {
        return job.out.line(&words.word("phone-empty-alerts"));
    }
    alerts.iter().try_for_each(|alert| say(job, alert))
}

/// An alert in two lines.
pub(super) fn say(job: &Job<'_>, alert: &AlertInfo) -> Result<()> {
    let words = job.words();
    let severity = words.word(&format!("word-severity-{}", alert.severity.to_ascii_lowercase()));
    let drill = if alert.drill { format!(" · {}", words.word("word-drill")) } else { String::new() };
    let answer = alert.answer.map(|answer| words.word(&format!("word-answer-{answer}")));
    let until = words.say("cli-until", &[("time", words.date_time(alert.expires_ms).into())]);
    job.out.line(&format!("{severity}{drill} · {} · {until}", crate::output::clean(&alert.headline)))?;
    job.out.line(&format!("  {} · {}", alert.id, answer.unwrap_or_else(|| words.word("cli-unanswered"))))
}

/// `feed`.
pub(super) fn feed(job: &Job<'_>) -> Result<()> {
    let mut phone = job.open()?;
    let items = phone.feed().map_err(|error| job.fault(&error))?;
    let rows: Vec<_> = items
        .iter()
        .map(|item| {
            json!({
                "scope": item.scope, "number": item.number, "kind": item.kind,
                "issued": rfc3339(item.issued_ms), "line": item.line,
            })
        })
        .collect();
    job.out.document(&json!(rows))?;
    for item in &items {
        let time = job.words().date_time(item.issued_ms);
        let kind = crate::reason::code("item", item.kind, job.words());
        job.out.line(&format!("{time} · {} {} · {kind} · {}", item.scope, item.number, crate::output::clean(&item.line)))?;
    }
    Ok(())
}

/// `alert seen|going|cannot|done`.
pub(super) fn answer(job: &Job<'_>, answer: &str) -> Result<()> {
    let alert = job.values.need("alert")?;
    let mut phone = job.open()?;
    let entry = phone.answer_alert(alert, answer).map_err(|error| job.fault(&error))?;
    job.settle(phone)?;
    job.out.document(&json!({ "alert": alert, "answer": answer, "entry": entry }))?;
    let word = job.words().word(&format!("word-answer-{answer}"));
    job.out.say("cli-answered", &[("answer", word.into())])
}
