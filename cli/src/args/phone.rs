//! Commands of the headless phone.

use clap::{Arg, Command};

use super::Builder;

/// Default of `phone replay --every`.
pub(crate) const EVERY: &str = "200m";

/// `yenban phone`.
pub(super) fn command(b: Builder) -> Command {
    let plain = |name, about, example| b.command(name, about, example);
    b.command("phone", "help-phone", "yenban phone --store may-1 status")
        .subcommand_required(true)
        .arg(b.option("store", "DIR", "help-store").display_order(super::LAST).global(true))
        .arg(b.option("pin-file", "FILE", "help-pin-file").display_order(super::LAST).global(true))
        .subcommand(enrol(b))
        .subcommand(patrol(b))
        .subcommand(replay(b))
        .subcommand(report(b))
        .subcommand(amend(b))
        .subcommand(sync(b))
        .subcommand(courier(b))
        .subcommand(
            plain("rescue", "help-rescue", "yenban phone --store may-1 rescue --out cuu-viec.ybp")
                .arg(b.option("out", "FILE|DIR", "help-rescue-out").required(true)),
        )
        .subcommand(plain("sms", "help-sms", "yenban phone --store may-1 sms 0123456789abcdef:7").arg(b.value(
            "incident",
            "INCIDENT",
            "help-amend-incident",
        )))
        .subcommand(plain("status", "help-phone-status", "yenban phone --store may-1 status"))
        .subcommand(plain("outbox", "help-outbox", "yenban phone --store may-1 outbox"))
        .subcommand(plain("incidents", "help-incidents", "yenban phone --store may-1 incidents"))
        .subcommand(plain("patrols", "help-patrols", "yenban phone --store may-1 patrols"))
        .subcommand(plain("alerts", "help-alerts", "yenban phone --store may-1 alerts"))
        .subcommand(plain("feed", "help-feed", "yenban phone --store may-1 feed"))
        .subcommand(alert(b))
        .subcommand(plain("search", "help-search", "yenban phone --store may-1 search \"suoi da ban\"").arg(b.value(
            "text",
            "TEXT",
            "help-search-text",
        )))
        .subcommand(plain("handover", "help-handover", "yenban phone --store may-1 handover 2").arg(b.value(
            "member",
            "MEMBER",
            "help-handover-member",
        )))
        .subcommand(plain("set-pin", "help-set-pin", "YENBAN_PIN=739146 yenban phone --store may-1 set-pin"))
        .subcommand(plain("lock", "help-lock", "yenban phone --store may-1 lock"))
        .subcommand(plain("unlock", "help-unlock", "YENBAN_PIN=739146 yenban phone --store may-1 unlock"))
        .subcommand(plain("witness", "help-witness", "yenban phone --store may-1 witness --out lam-chung.cbor").arg(b.option(
            "out",
            "FILE",
            "help-witness-out",
        )))
        .subcommand(plain("check", "help-phone-check", "yenban phone --store may-1 check"))
}

fn enrol(b: Builder) -> Command {
    let example = "yenban phone --store may-1 enrol \"$(yenban hub enrol --dir xa-mai-chau --hamlet 'Nà Phòn' --role member | tail -n 1)\"";
    b.command("enrol", "help-phone-enrol", example).arg(b.value("code", "CODE", "help-enrol-code"))
}

fn place(b: Builder, command: Command) -> Command {
    command.arg(b.option("lat", "20.66", "help-lat")).arg(b.option("lon", "105.08", "help-lon")).arg(b.option(
        "accuracy-m",
        "8",
        "help-accuracy",
    ))
}

fn patrol(b: Builder) -> Command {
    let check_in = b
        .command("check-in", "help-check-in", "yenban phone --store may-1 patrol check-in --lat 20.66012 --lon 105.08345 --accuracy-m 8")
        .arg(b.option("checkpoint", "CODE", "help-checkpoint"))
        .arg(b.option("note", "TEXT", "help-note"));
    b.command("patrol", "help-patrol", "yenban phone --store may-1 patrol start")
        .subcommand_required(true)
        .subcommand(b.command("start", "help-patrol-start", "yenban phone --store may-1 patrol start"))
        .subcommand(place(b, check_in))
        .subcommand(b.command("pause", "help-patrol-pause", "yenban phone --store may-1 patrol pause"))
        .subcommand(b.command("resume", "help-patrol-resume", "yenban phone --store may-1 patrol resume"))
        .subcommand(b.command("finish", "help-patrol-finish", "yenban phone --store may-1 patrol finish"))
}

fn replay(b: Builder) -> Command {
    b.command("replay", "help-replay", "yenban phone --store may-1 replay dem-qua.gpx --every 200m")
        .arg(b.value("track", "TRACK.gpx", "help-replay-track"))
        .arg(b.option("every", "200m|5min", "help-every").default_value(EVERY).hide_default_value(true))
}

fn basis(b: Builder) -> Arg {
    b.option("basis", "seen|heard|think", "help-basis")
}

fn report(b: Builder) -> Command {
    let example = "yenban phone --store may-1 report --kind theft --text \"Mất xe ở đầu bản\" --basis seen --photo anh.jpg";
    let report = b
        .command("report", "help-report", example)
        .arg(b.option("kind", "KIND", "help-kind").required(true))
        .arg(b.option("text", "TEXT", "help-text"))
        .arg(basis(b))
        .arg(b.options("photo", "FILE", "help-photo"))
        .arg(b.switch("urgent", "help-urgent"))
        .arg(b.switch("sms", "help-report-sms"));
    place(b, report)
}

fn amend(b: Builder) -> Command {
    b.command("amend", "help-amend", "yenban phone --store may-1 amend 0123456789abcdef:7 --text \"Xe màu đỏ\" --basis heard")
        .arg(b.value("incident", "INCIDENT", "help-amend-incident"))
        .arg(b.option("text", "TEXT", "help-text"))
        .arg(basis(b))
        .arg(b.options("photo", "FILE", "help-amend-photo"))
}

fn sync(b: Builder) -> Command {
    b.command(
        "sync",
        "help-sync",
        "yenban phone --store may-1 sync --until-empty --max-seconds 60\nyenban phone --store may-1 sync --wait 2",
    )
    .arg(b.switch("once", "help-once"))
    .arg(b.switch("until-empty", "help-until-empty").conflicts_with("once"))
    .arg(b.option("max-seconds", "N", "help-max-seconds"))
    .arg(b.option("wait", "SECONDS", "help-sync-wait").conflicts_with_all(["once", "until-empty", "max-seconds"]))
}

fn courier(b: Builder) -> Command {
    let step = |name, about, example, value| {
        b.command(name, about, example)
            .arg(b.value("path", "FILE|DIR", value).required(false).required_unless_present("to"))
            .arg(b.option("to", "FILE|DIR", "help-courier-to").conflicts_with("path"))
    };
    b.command("courier", "help-courier", "yenban phone --store may-1 courier out gui-nho.ybp")
        .subcommand_required(true)
        .subcommand(step("out", "help-courier-out", "yenban phone --store may-1 courier out gui-nho-2.ybp", "help-courier-out-path"))
        .subcommand(step("in", "help-courier-in", "yenban phone --store may-1 courier in tra-loi.ybp", "help-courier-in-path"))
}

fn alert(b: Builder) -> Command {
    let answer = |name, about, example| b.command(name, about, example).arg(b.value("alert", "ID", "help-answer-alert"));
    b.command("alert", "help-answer", "yenban phone --store may-1 alert seen yb-05200-1")
        .subcommand_required(true)
        .subcommand(answer("seen", "help-answer-seen", "yenban phone --store may-1 alert seen yb-05200-1"))
        .subcommand(answer("going", "help-answer-going", "yenban phone --store may-1 alert going yb-05200-1"))
        .subcommand(answer("cannot", "help-answer-cannot", "yenban phone --store may-1 alert cannot yb-05200-1"))
        .subcommand(answer("done", "help-answer-done", "yenban phone --store may-1 alert done yb-05200-1"))
}
