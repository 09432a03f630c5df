//! The minute of one report on paper: A4, the head that Decree 30/2020 gives, places for names and signatures, and NHÁP
//! (draft) across it, for it is nothing until people signed it. In Vietnamese, whatever language the reader has.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use yenban_locales::{Lang, Words};
use yenban_protocol::directory::by_code;
use yenban_protocol::text::{display_safe, display_safe_lines};

use super::chrome::{failed, rendered, see_other};
use super::facts;
use super::guard::{Asked, May, Read};
use crate::access::{self, Session};
use crate::app::Hub;
use crate::error::Result;
use crate::store::IncidentListing;
use crate::triage::find;

#[derive(Template)]
#[template(path = "print.html")]
struct Sheet {
    w: Words,
    /// The commune, in capitals.
    commune: String,
    hamlet: String,
    /// Place and date of the day it is printed.
    dated: String,
    kind: String,
    urgent: bool,
    id: String,
    when: String,
    place: String,
    author: String,
    seen: Vec<String>,
    heard: Vec<String>,
    unstated: Vec<String>,
    think: Vec<String>,
    photos: String,
    printed: String,
}

/// "ngày 05 tháng 02 năm 2026", days and months of two digits as the decree writes the small ones.
fn dated(words: Words, at_ms: i64, place: &str) -> String {
    let date = words.date(at_ms);
    let mut parts = date.split('/');
    let (day, month, year) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let values = [
        ("place", place.to_owned().into()),
        ("day", day.to_owned().into()),
        ("month", month.to_owned().into()),
        ("year", year.to_owned().into()),
    ];
    words.say("print-dated", &values)
}

/// The minute, once its reader said what for.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Read>, Path(id): Path<String>) -> Response {
    let row = match find(&hub, &id, session.query()).await {
        Ok(row) => row,
        Err(error) => return failed(&asked, &error),
    };
    match sheet(&hub, &session, &row).await {
        Ok(Some(page)) => rendered(StatusCode::OK, &page),
        // Its own page asks what for.
        Ok(None) => see_other(&format!("/console/incidents/{}", row.id)),
        Err(error) => failed(&asked, &error),
    }
}

async fn sheet(hub: &Hub, session: &Session, row: &IncidentListing) -> Result<Option<Sheet>> {
    let Some(purpose) = access::view(hub, session, &row.id).await? else { return Ok(None) };
    hub.note(&session.officer, "print incident", &row.id, &purpose).await?;
    // Values stand alone on paper: no marks around them.
    let words = Words::new(Lang::Vi);
    let said = |basis: &str| row.statements.iter().filter(|s| s.basis == basis).map(|s| display_safe_lines(&s.text)).collect();
    let commune = by_code(&hub.identity().commune).map(|commune| commune.full_name()).unwrap_or_default();
    let hamlet = facts::hamlet(words, &row.hamlet);
    let now_ms = hub.now_ms();
    Ok(Some(Sheet {
        w: words,
        commune: commune.to_uppercase(),
        dated: dated(words, now_ms, &hamlet),
        hamlet,
        kind: facts::kind(words, &row.kind),
        urgent: row.urgent,
        id: row.id.clone(),
        when: facts::between(words, &row.time_earliest, &row.time_latest),
        place: facts::place(words, row.lat, row.lon, row.accuracy_m),
        author: display_safe(&facts::person(words, &row.author, row.author_no)),
        seen: said("seen"),
        heard: said("heard"),
        unstated: said("unstated"),
        think: said("think"),
        photos: words.say("print-photos", &[("n", row.photos.into()), ("lacking", (row.missing.len() + row.altered.len()).into())]),
        printed: words.say("print-printed", &[("who", display_safe(&session.officer).into()), ("when", words.date_time(now_ms).into())]),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_written_as_the_decree_does() {
        let told = dated(Words::new(Lang::Vi), 1_770_268_800_000, "Nà Phòn");
        assert_eq!(told, "Nà Phòn, ngày 05 tháng 02 năm 2026");
    }
}
