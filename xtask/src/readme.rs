//! Holds README.md to its word: the commands a newcomer copies exist, with the flags shown, and the
//! tests are run by the very command that CI runs.

use crate::ci::{Outcome, TEST_COMMAND};
use crate::run;

/// A README longer than this is not read.
const README_LINES_MAX: usize = 120;

/// Checks README.md.
pub(crate) fn run() -> Outcome {
    check().into()
}

fn check() -> Result<(), String> {
    let path = run::root().join("README.md");
    let text = std::fs::read_to_string(path).map_err(|error| format!("README.md: {error}"))?;
    let lines = text.lines().count();
    if lines > README_LINES_MAX {
        return Err(format!("README.md has {lines} lines, at most {README_LINES_MAX}"));
    }
    let commands = commands(&text);
    let tests = TEST_COMMAND.join(" ");
    if !commands.contains(&tests) {
        return Err(format!("README.md does not name the test command `{tests}`"));
    }
    // With the whole workspace: built for itself alone, half of what it stands on would be built again.
    let yenban = run::built("yenban")?;
    let calls: Vec<Call> = commands.iter().filter_map(|line| yenban_call(line)).collect();
    for call in &calls {
        let mut line = vec![yenban.as_str()];
        line.extend(call.words.iter().map(String::as_str));
        line.push("--help");
        let told = format!("yenban {}", call.words.join(" "));
        let help = run::quiet(&mut run::command(&line)).ok_or_else(|| format!("README.md names `{told}`, which does not exist"))?;
        if let Some(flag) = call.flags.iter().find(|flag| !help.contains(flag.as_str())) {
            return Err(format!("README.md gives `{told}` the flag {flag}, which it does not have"));
        }
        println!("{told} {}", call.flags.join(" "));
    }
    println!("{} commands, {} of them of yenban", commands.len(), calls.len());
    Ok(())
}

/// The command lines of all code blocks, without prompt and comment, joined where they go on.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    let mut open = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            continue;
        }
        let line = line.split(" #").next().unwrap_or_default().trim();
        let line = line.strip_prefix("$ ").unwrap_or(line);
        if !inside || line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(start) = line.strip_suffix('\\') {
            open.push_str(start);
            continue;
        }
        commands.push(std::mem::take(&mut open) + line);
    }
    commands
}

/// Options with a value that may stand before a subcommand.
const GROUP_OPTIONS: [&str; 3] = ["--store", "--pin-file", "--lang"];

/// One call of our binary: the names of its subcommands and the flags after them.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    words: Vec<String>,
    flags: Vec<String>,
}

/// The call of `yenban` in a command line, through cargo or as a file, if it is one.
fn yenban_call(line: &str) -> Option<Call> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (first, rest) = words.split_first()?;
    let args = if *first == "yenban" || first.ends_with("/yenban") {
        rest
    } else if line.starts_with("cargo run") {
        match words.iter().position(|word| *word == "--") {
            Some(at) => &words[at + 1..],
            None => &[],
        }
    } else {
        return None;
    };
    let flags = args.iter().filter(|word| word.starts_with("--")).map(|flag| flag.split('=').next().unwrap_or_default().to_owned());
    let flags: Vec<String> = flags.collect();
    // Only the first words can be subcommands; what stands after a flag or in capitals is a value. Options that
    // every command of a group has may stand before the subcommand, with their values.
    let mut args = args.iter();
    let mut first = Vec::new();
    while let Some(word) = args.next() {
        if GROUP_OPTIONS.contains(word) {
            args.next();
        } else {
            first.push(*word);
        }
    }
    let words = first
        .iter()
        .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .take_while(|word| !word.starts_with('-'))
        .map(ToString::to_string)
        .collect();
    Some(Call { words, flags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_commands_of_code_blocks_only() {
        let text = "cargo no\n```sh\n$ cargo test --workspace   # all tests\n\n# a remark\n\
                    yenban hub init \\\n  --dir DIR\n```\nmore";
        assert_eq!(commands(text), ["cargo test --workspace", "yenban hub init --dir DIR"]);
    }

    #[test]
    fn tells_subcommands_from_values() {
        let call = yenban_call("cargo run --release -- hub init --dir /srv/hub --commune 05200");
        let call = call.expect("a call of the binary");
        assert_eq!(call.words, ["hub", "init"]);
        assert_eq!(call.flags, ["--dir", "--commune"]);
        let call = yenban_call("yenban phone --store DIR patrol check-in --lat 20.66").expect("a call of the binary");
        assert_eq!(call.words, ["phone", "patrol", "check-in"]);
        assert_eq!(call.flags, ["--store", "--lat"]);
        assert_eq!(yenban_call("cargo test --workspace"), None);
        assert_eq!(yenban_call("cargo run").map(|call| call.words.len()), Some(0));
        let verify = yenban_call("target/release/yenban verify night.bundle").expect("a call");
        assert_eq!(verify.words, ["verify"]);
    }
}
