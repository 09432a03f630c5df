//! Type-checks the core for phones on a machine without their kits. It proves that the code
//! compiles for them, not that it links or runs: the C parts are not compiled, since the phone's
//! own compilers and libraries are not here.

use crate::ci::Outcome;
use crate::run;

const ANDROID: [&str; 2] = ["aarch64-linux-android", "armv7-linux-androideabi"];
const IOS: [&str; 1] = ["aarch64-apple-ios"];

/// Android, 64 and 32 bits.
pub(crate) fn android() -> Outcome {
    check_all(&ANDROID)
}

/// iPhone.
pub(crate) fn ios() -> Outcome {
    check_all(&IOS)
}

fn check_all(targets: &[&str]) -> Outcome {
    let installed = run::quiet(&mut run::command(&["rustup", "target", "list", "--installed"])).unwrap_or_default();
    for target in targets {
        if !installed.lines().any(|line| line == *target) {
            return Outcome::Skipped(format!("the target {target} is not installed"));
        }
        if let Err(reason) = check(target) {
            return Outcome::Failed(reason);
        }
    }
    Outcome::Ok
}

fn check(target: &str) -> Result<(), String> {
    let mut command = run::command(&["cargo", "check", "--locked", "--package", "yenban-core", "--target", target]);
    let folder = run::root().join("xtask");
    let compiler = folder.join("no-cc.sh");
    let variable = target.replace('-', "_");
    command.env(format!("CC_{variable}"), &compiler);
    command.env(format!("AR_{variable}"), &compiler);
    // The vendored OpenSSL would be configured and built by make; here nothing of it is needed.
    let openssl = format!("{}_OPENSSL", variable.to_uppercase());
    command.env(format!("{openssl}_NO_VENDOR"), "1");
    command.env(format!("{openssl}_STATIC"), "1");
    command.env(format!("{openssl}_LIB_DIR"), &folder);
    command.env(format!("{openssl}_INCLUDE_DIR"), &folder);
    // Apple's tools are asked for a kit unless one is named.
    command.env("SDKROOT", &folder);
    run::shown(&mut command)
}
