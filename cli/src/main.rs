//! One command for a newcomer, an operator, a test and a load generator: the hub, a headless phone that uses exactly
//! the core the apps use, and a demonstration of both. What it may be asked and what it answers is a contract.

mod args;
mod config;
mod demo;
mod fault;
mod files;
mod hub;
mod limits;
mod output;
mod parcels;
mod phone;
mod qr;
mod reason;
mod run;
mod time;
mod verify;

use std::process::ExitCode;

fn main() -> ExitCode {
    run::run(config::Environment::read())
}
