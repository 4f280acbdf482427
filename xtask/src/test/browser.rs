//! The chat in a browser that nobody here wrote.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::node;
use super::outcome::Outcome;
use crate::process::{self, is_installed};
use crate::repository::{self, Build, Runtime, Workspace};

pub(super) fn run(workspace: &Workspace, runtime: Runtime) -> Result<Outcome> {
    let directory = repository::path("examples/chat/browser-test");
    if !workspace.has("chat") {
        return Ok(Outcome::skipped("the workspace has no package `chat`"));
    }
    if !directory.join("chat.test.mjs").is_file() {
        return Ok(Outcome::skipped("there is no examples/chat/browser-test/chat.test.mjs"));
    }
    if let Some(program) = node::missing() {
        return Ok(Outcome::skipped(format!("{program} is not installed")));
    }
    let chromium = match find_chromium() {
        Some(chromium) => chromium,
        None => match install_chromium() {
            Ok(chromium) => chromium,
            Err(reason) => return Ok(Outcome::skipped(reason)),
        },
    };
    process::npm_ci(&repository::path("examples/chat/page"))?;
    process::npm_ci(&directory)?;
    let chat = workspace.build_on(runtime, "chat", Build::Debug)?;

    let mut command = Command::new("node");
    command
        .args(["--test", "chat.test.mjs", "longpoll.test.mjs"])
        .current_dir(&directory)
        .env("CHAT_BIN", chat)
        .env("CHROMIUM", chromium);
    node::run(&mut command)
}

/// Looks where the variable CHROMIUM points, then along the PATH.
fn find_chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM").map(PathBuf::from).filter(|path| path.is_file()) {
        return Some(named);
    }
    let path = env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    env::split_paths(&path)
        .flat_map(|directory| names.map(|name| directory.join(name)))
        .find(|candidate| candidate.is_file())
}

/// Installs Chromium where that is allowed; otherwise says why not.
fn install_chromium() -> Result<PathBuf, String> {
    if !is_installed("apt-get") {
        return Err("no Chromium, and no apt-get to install it with".to_owned());
    }
    if !is_root() {
        return Err("no Chromium, and only root may install it".to_owned());
    }
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends", "chromium"]] {
        let status =
            Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!("no Chromium, and apt-get {} failed", arguments[0]));
        }
    }
    find_chromium().ok_or_else(|| "apt-get has installed no Chromium".to_owned())
}

fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
