//! Commands for whoever runs the commune's hub.

use clap::{Arg, Command};

use super::Builder;

/// Default of `hub serve --listen`.
pub(crate) const LISTEN: &str = yenban_hub::limits::DEFAULT_LISTEN;

fn dir(b: Builder) -> Arg {
    b.option("dir", "DIR", "help-hub-dir").required(true)
}

/// `yenban hub`.
pub(super) fn command(b: Builder) -> Command {
    b.command("hub", "help-hub", "yenban hub init --dir xa-vi-du --commune 05200 --name \"Công an xã Mai Châu\"")
        .subcommand_required(true)
        .subcommand(init(b))
        .subcommand(serve(b))
        .subcommand(import(b))
        .subcommand(enrol(b))
        .subcommand(alert(b))
        .subcommand(revoke(b))
        .subcommand(answer(b))
        .subcommand(console(b))
        .subcommand(b.command("status", "help-hub-status", "yenban hub status --dir xa-mai-chau").arg(dir(b)))
        .subcommand(list(b))
        .subcommand(export(b))
        .subcommand(b.command("check", "help-hub-check", "yenban hub check --dir xa-mai-chau").arg(dir(b)))
        .subcommand(
            order(b, "hold", "help-hub-hold", "yenban hub hold --dir xa-mai-chau 0123456789abcdef:7 --case 12/2026 --officer \"Hà Văn Sơn\" --second \"Lò Thị Hoa\"")
                .arg(b.option("case", "NUMBER", "help-hold-case"))
                .arg(b.option("for", "90d", "help-hold-for"))
                .arg(b.switch("release", "help-hold-release"))
                .arg(b.option("why", "TEXT", "help-hold-why")),
        )
        .subcommand(
            order(b, "erase", "help-hub-erase", "yenban hub erase --dir xa-mai-chau 0123456789abcdef:7 --why \"Quyết định 15/QĐ\" --officer \"Hà Văn Sơn\" --second \"Lò Thị Hoa\"")
                .arg(b.option("why", "TEXT", "help-erase-why").required(true)),
        )
        .subcommand(courier(b))
        .subcommand(
            b.command("sms", "help-hub-sms", "yenban hub sms --dir xa-mai-chau \"$(cat tin-nhan.txt)\"")
                .arg(dir(b))
                .arg(b.value("text", "TEXT", "help-hub-sms-text")),
        )
        .subcommand(
            b.command("backup", "help-hub-backup", "yenban hub backup --dir xa-mai-chau --file xa-mai-chau.backup")
                .arg(dir(b))
                .arg(b.option("file", "FILE", "help-backup-file").required(true)),
        )
        .subcommand(
            b.command(
                "restore",
                "help-hub-restore",
                "yenban hub restore --dir xa-mai-chau-2 --file xa-mai-chau.backup --recovery-file xa-mai-chau.recovery",
            )
            .arg(b.option("dir", "DIR", "help-restore-dir").required(true))
            .arg(b.option("file", "FILE", "help-backup-file").required(true))
            .arg(b.option("recovery-file", "FILE", "help-recovery-file")),
        )
        .subcommand(
            b.command(
                "replace-keys",
                "help-hub-replace-keys",
                "yenban hub replace-keys --dir xa-mai-chau --backup xa-mai-chau-khoa-moi.backup",
            )
            .arg(dir(b))
            .arg(b.option("backup", "FILE", "help-keys-backup").required(true))
            .arg(b.option("root", "FILE", "help-keys-root")),
        )
}

fn courier(b: Builder) -> Command {
    let step = |name, about, example, value| b.command(name, about, example).arg(dir(b)).arg(b.value("path", "FILE|DIR", value));
    b.command("courier", "help-hub-courier", "yenban hub courier in --dir xa-mai-chau gui-nho.ybp")
        .subcommand_required(true)
        .subcommand(step("in", "help-hub-courier-in", "yenban hub courier in --dir xa-mai-chau gui-nho.ybp", "help-courier-in-path"))
        .subcommand(step("out", "help-hub-courier-out", "yenban hub courier out --dir xa-mai-chau tra-loi.ybp", "help-courier-out-path"))
}

/// A command by which two officers order something for one item of evidence.
fn order(b: Builder, name: &'static str, help: &'static str, example: &'static str) -> Command {
    b.command(name, help, example)
        .arg(dir(b))
        .arg(b.value("item", "ID", "help-item"))
        .arg(b.option("officer", "NAME", "help-order-officer").required(true))
        .arg(b.option("second", "NAME", "help-order-second").required(true))
}

fn init(b: Builder) -> Command {
    b.command("init", "help-hub-init", "yenban hub init --dir xa-mai-chau --commune 05200 --name \"Công an xã Mai Châu\"")
        .arg(b.option("dir", "DIR", "help-init-dir").required(true))
        .arg(b.option("commune", "CODE", "help-init-commune").required(true))
        .arg(b.option("name", "NAME", "help-init-name").required(true))
        .arg(b.option("officer", "NAME", "help-init-officer"))
        .arg(b.option("recovery-file", "FILE", "help-recovery-file"))
}

fn serve(b: Builder) -> Command {
    b.command("serve", "help-hub-serve", "yenban hub serve --dir xa-mai-chau --listen 127.0.0.1:0")
        .arg(dir(b))
        .arg(b.option("listen", "HOST:PORT", "help-serve-listen").default_value(LISTEN).hide_default_value(true))
        .arg(b.option("host-name", "NAME", "help-serve-host-name"))
}

fn import(b: Builder) -> Command {
    b.command("import", "help-hub-import", "yenban hub import --dir xa-mai-chau danh-sach.csv").arg(dir(b)).arg(b.value(
        "file",
        "FILE.csv",
        "help-import-file",
    ))
}

fn enrol(b: Builder) -> Command {
    let example = "yenban hub enrol --dir xa-mai-chau --hamlet \"Nà Phòn\" --create --role member --name \"Lò Văn Páo\" --png ma.png";
    b.command("enrol", "help-hub-enrol", example)
        .arg(dir(b))
        .arg(b.option("hamlet", "NAME", "help-enrol-hamlet"))
        .arg(b.switch("create", "help-enrol-create"))
        .arg(b.option("role", "ROLE", "help-enrol-role").required(true))
        .arg(b.option("name", "NAME", "help-enrol-name"))
        .arg(b.option("address", "HOST:PORT", "help-enrol-address"))
        .arg(b.option("png", "FILE", "help-enrol-png"))
}

fn alert(b: Builder) -> Command {
    let example = "yenban hub alert --dir xa-mai-chau --headline \"Mưa lớn đêm nay\" --description \"Suối Nánh dâng nhanh. Lên cao.\" \
                   --severity Severe --hamlet \"Nà Phòn\" --expires 6h";
    b.command("alert", "help-hub-alert", example)
        .arg(dir(b))
        .arg(b.option("headline", "TEXT", "help-alert-headline").required(true))
        .arg(b.option("description", "TEXT", "help-alert-description").required(true))
        .arg(b.option("instruction", "TEXT", "help-alert-instruction"))
        .arg(b.option("severity", "LEVEL", "help-alert-severity").required(true))
        .arg(b.options("hamlet", "NAME", "help-alert-hamlet"))
        .arg(b.option("expires", "6h", "help-alert-expires"))
        .arg(b.switch("drill", "help-alert-drill"))
        .arg(b.option("second", "OFFICER", "help-alert-second"))
}

fn revoke(b: Builder) -> Command {
    b.command("revoke", "help-hub-revoke", "yenban hub revoke --dir xa-mai-chau 0123456789abcdef --lost")
        .arg(dir(b))
        .arg(b.value("device", "DEVICE", "help-revoke-device"))
        .arg(b.switch("lost", "help-revoke-lost"))
}

fn answer(b: Builder) -> Command {
    let example = "yenban hub answer --dir xa-mai-chau 0123456789abcdef:7 --state needs_more --note \"Gà màu gì?\"";
    b.command("answer", "help-hub-answer", example)
        .arg(dir(b))
        .arg(b.value("incident", "INCIDENT", "help-answer-incident"))
        .arg(b.option("state", "CODE", "help-answer-state").required(true))
        .arg(b.option("note", "TEXT", "help-answer-note"))
        .arg(b.option("keep", "WHY", "help-answer-keep"))
}

fn console(b: Builder) -> Command {
    b.command("console", "help-hub-console", "yenban hub console --dir xa-mai-chau").arg(dir(b)).arg(b.option(
        "officer",
        "NAME",
        "help-console-officer",
    ))
}

/// What `hub list` can list.
pub(crate) const LISTS: [&str; 8] = ["incidents", "patrols", "check-ins", "evidence", "alerts", "devices", "quarantine", "audit"];

fn list(b: Builder) -> Command {
    b.command("list", "help-hub-list", "yenban hub list --dir xa-mai-chau incidents")
        .arg(dir(b))
        .arg(b.value("what", "WHAT", "help-list-what").value_parser(LISTS).hide_possible_values(true))
}

fn export(b: Builder) -> Command {
    b.command("export", "help-hub-export", "yenban hub export --dir xa-mai-chau --format geojson --out dem-qua.geojson\nyenban hub export --dir xa-mai-chau --format bundle --purpose \"Bàn giao ảnh\" --out xa-mai-chau.tar")
        .arg(dir(b))
        .arg(b.option("format", "geojson|gpx|csv|bundle", "help-export-format").required(true))
        .arg(b.option("incident", "ID", "help-export-incident"))
        .arg(b.option("since", "TIME", "help-export-since"))
        .arg(b.option("purpose", "TEXT", "help-export-purpose"))
        .arg(b.option("out", "FILE", "help-export-out").required(true))
}
