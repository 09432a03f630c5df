//! Starting other programs: always from the top of the repository, always without standard input,
//! so that nothing waits for an answer in CI.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The top folder of the repository.
pub(crate) fn root() -> PathBuf {
    let mut folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.pop();
    folder
}

/// A command at the top of the repository. `cargo` is the one that started us, so that the
/// toolchain stays the same.
pub(crate) fn command(line: &[&str]) -> Command {
    let (program, args) = line.split_first().unwrap_or((&"true", &[]));
    let program = match *program {
        "cargo" => std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()),
        other => other.to_owned(),
    };
    let mut command = Command::new(program);
    command.args(args).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs a command to its end, its output going where ours goes.
pub(crate) fn shown(command: &mut Command) -> Result<(), String> {
    let name = told(command);
    println!("$ {}{name}", environment(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}: {status}")),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// Builds the program `name` as the step `build` does (built for itself alone, with other features of what it stands on,
/// half of that would be built again) and says where it lies.
pub(crate) fn built(name: &str) -> Result<String, String> {
    shown(&mut command(&["cargo", "build", "--workspace", "--locked", "--bin", name]))?;
    let own = std::env::current_exe().map_err(|error| format!("where the programs lie: {error}"))?;
    Ok(own.with_file_name(name).display().to_string())
}

/// Runs a command to its end and hands each line of its standard output to `line` after showing it.
pub(crate) fn read(command: &mut Command, mut line: impl FnMut(&str)) -> Result<(), String> {
    let name = told(command);
    println!("$ {}{name}", environment(command));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| format!("{name}: {error}"))?;
    if let Some(output) = child.stdout.take() {
        for bytes in BufReader::new(output).split(b'\n') {
            let bytes = bytes.map_err(|error| format!("{name}: {error}"))?;
            let text = String::from_utf8_lossy(&bytes);
            println!("{text}");
            line(&text);
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}: {status}")),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// The standard output of a command that succeeds, `None` otherwise; nothing is shown.
pub(crate) fn quiet(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a command is given beyond our own environment, as a person would type it before it.
fn environment(command: &Command) -> String {
    let mut text = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            text.push_str(&format!("{}={value:?} ", name.to_string_lossy()));
        }
    }
    text
}

/// The command as a person would type it.
fn told(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}
