//! A person at a terminal: the program inside `script` of util-linux, which gives it one.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use super::program::Said;

/// Runs a shell command on a terminal. What is typed ahead is there before the command is; after the screen shows
/// `prompt` the answer is typed.
pub fn answered(command: &str, typed_ahead: &str, prompt: &str, answer: &str) -> Said {
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &format!("sleep 0.4; {command}"), "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script of util-linux: apt-get install bsdutils");
    let mut terminal = child.stdin.take().expect("piped");
    let mut screen = child.stdout.take().expect("piped");
    terminal.write_all(typed_ahead.as_bytes()).expect("typed ahead");
    let mut shown = Vec::new();
    while !String::from_utf8_lossy(&shown).contains(prompt) {
        let mut byte = [0];
        if screen.read(&mut byte).expect("a screen") == 0 {
            break; // it ended without asking: the caller sees what it said
        }
        shown.push(byte[0]);
    }
    let _ = terminal.write_all(answer.as_bytes());
    screen.read_to_end(&mut shown).expect("the rest");
    let mut output = child.wait_with_output().expect("it ends");
    output.stdout = shown;
    Said::of(output)
}
