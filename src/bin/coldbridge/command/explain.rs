//! `help`: what a command does, what a code means and what to do about it. All of it is in the program.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use coldbridge::refusal::{ContractError, contract_error, printable};
use coldbridge::{Code, Exit, Refusal};

use super::{Outcome, print};
use crate::cli::Cli;

pub fn explain(topic: &[String]) -> Result<Outcome, Refusal> {
    let words: Vec<&str> = topic.iter().map(String::as_str).collect();
    let text = command(&words).or_else(|| match words.as_slice() {
        ["exit"] => Some(exits()),
        ["codes"] => Some(codes(|_| true)),
        [word] => code(word).or_else(|| exit(word)).or_else(|| area(word)).or_else(|| contract(word)),
        _ => None,
    });
    let text = text.ok_or_else(|| {
        Refusal::new(
            Code::USAGE,
            "",
            format!("there is no help on \"{}\"", printable(&words.join(" "))),
            "ask for a command, or see coldbridge help codes and coldbridge help exit",
        )
    })?;
    print(&text)
}

/// What `--help` says of a command; of the program for no word at all.
fn command(words: &[&str]) -> Option<String> {
    let mut root = Cli::command();
    root.build();
    let mut found = &mut root;
    for word in words {
        found = found.find_subcommand_mut(word)?;
    }
    Some(found.render_help().to_string())
}

fn code(name: &str) -> Option<String> {
    let code = Code::named(name)?;
    let mut text = String::new();
    wrap(&mut text, "", &format!("{}: exit {}, {}", code.name, code.exit.code(), code.exit.meaning()));
    text.push('\n');
    wrap(&mut text, "", code.meaning().trim());
    wrap(&mut text, "what to do:  ", code.advice());
    for error in code.contract_errors() {
        let _ = writeln!(text, "on chain:    {} {}", error.signature, error.selector);
    }
    Some(text)
}

fn exit(number: &str) -> Option<String> {
    if number == "0" {
        return Some("exit 0: done\n".to_owned());
    }
    let exit = Exit::ALL.iter().find(|exit| exit.code().to_string() == number)?;
    let mut text = format!("exit {number}: {}\n\n", exit.meaning());
    text.push_str(&codes(|code| code.exit == *exit));
    Some(text)
}

fn exits() -> String {
    let mut text = "exit  0: done\n".to_owned();
    for exit in Exit::ALL {
        let _ = writeln!(text, "exit {:>2}: {}", exit.code(), exit.meaning());
    }
    text.push_str("\nA batch ends with the exit code of its first refused line.\n");
    text
}

fn area(name: &str) -> Option<String> {
    let text = codes(|code| code.name.split('.').next() == Some(name));
    (!text.is_empty()).then_some(text)
}

/// The codes that foresee an error of the contracts, by its name, signature or selector.
fn contract(word: &str) -> Option<String> {
    let names = |error: &ContractError| {
        error.selector.eq_ignore_ascii_case(word)
            || error.signature == word
            || error.signature.split('(').next() == Some(word)
    };
    let error = contract_error::ALL.iter().find(|error| names(error))?;
    let mut text = format!("{} {}: an error of the chain's contracts\n\n", error.signature, error.selector);
    if let Some(advice) = error.advice() {
        wrap(&mut text, "", advice);
    }
    text.push_str(&codes(|code| code.contract_errors().contains(error)));
    Some(text)
}

fn codes(wanted: impl Fn(Code) -> bool) -> String {
    let mut text = String::new();
    for code in Code::ALL.iter().copied().filter(|code| wanted(*code)) {
        wrap(&mut text, &format!("{:<26}", code.name), code.meaning().trim());
    }
    text
}

/// Adds a paragraph behind a label, in 80 columns.
fn wrap(text: &mut String, label: &str, paragraph: &str) {
    let mut line = label.to_owned();
    for word in paragraph.split_whitespace() {
        if line.len() + 1 + word.len() > 80 {
            let _ = writeln!(text, "{}", line.trim_end());
            line = " ".repeat(label.len());
        }
        if line.len() > label.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}
