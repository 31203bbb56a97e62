//! Components that harm by what they are made of, before any of them runs: an honest guest with something more in it.

use super::{call, works};
use crate::support::Home;
use crate::support::program::Outcome;
use std::time::{Duration, Instant};

/// A number as WebAssembly writes it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}

/// A section: its id, its length, its bytes.
fn section(id: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![id], leb(bytes.len()), bytes.to_vec()].concat()
}

/// A core module of these sections.
fn module(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
}

/// How many core modules a component has at its top.
fn modules(component: &[u8]) -> usize {
    let (mut at, mut count) = (8, 0);
    while at < component.len() {
        count += usize::from(component[at] == 1);
        at += 1;
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = component[at];
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        at += length;
    }
    count
}

/// An honest guest with one more module, and so many instances of it.
fn with_module(module: &[u8], instances: usize) -> Vec<u8> {
    let mut component = std::fs::read(crate::support::guest("well_behaved")).unwrap();
    let index = modules(&component);
    component.extend(section(1, module));
    if instances > 0 {
        let instance = [vec![0], leb(index), vec![0]].concat();
        component.extend(section(2, &[leb(instances), instance.repeat(instances)].concat()));
    }
    component
}

/// `count` functions of so many steps, each of which mixes a hundred locals: a compiler keeps all of them apart.
fn functions(count: usize, steps: usize) -> Vec<u8> {
    const LOCALS: usize = 100;
    let mut body = [leb(1), leb(LOCALS), vec![0x7e]].concat();
    for step in 0..steps {
        let local = |number: usize| leb(number % LOCALS);
        // local.get a, local.get b, i64.mul, local.get c, i64.rem_u, local.set d; a loop around it at times.
        body.extend([vec![0x20], local(step * 7), vec![0x20], local(step * 13 + 1), vec![0x7e]].concat());
        body.extend([vec![0x20], local(step * 31 + 2), vec![0x82, 0x21], local(step * 3 + 5)].concat());
    }
    body.push(0x0b);
    let body = [leb(body.len()), body].concat();
    module(&[
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[leb(count), vec![0; count]].concat()),
        section(10, &[leb(count), body.repeat(count)].concat()),
    ])
}

/// Puts the component into a folder of plugins and calls it; another provider answers before and after.
fn called(component: &[u8], more: &[&str]) -> Outcome {
    let home = Home::with(&[]);
    works(&home);
    home.put("well-behaved.wasm", component);
    let outcome = call(&home, "well-behaved:x@http://127.0.0.1:9", more).run();
    works(&home);
    outcome
}

#[track_caller]
fn is_told(outcome: Outcome, limit: &str) {
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    let told = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(
        told.contains(&format!("`{limit}`")) && told.contains(&format!("--limit {limit}=")),
        "{outcome:?}"
    );
}

#[test]
fn the_guest_is_honest_without_it() {
    // With a module that does no harm it runs, up to the server that is not there.
    called(&with_module(&module(&[]), 1), &[]).failed(&["network"]);
}

#[test]
fn a_component_that_compiles_for_minutes() {
    let start = Instant::now();
    let outcome = called(&with_module(&functions(400, 4_000), 0), &["--limit", "compile-time=1s"]);
    is_told(outcome, "compile-time");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn a_component_that_takes_gigabytes_to_compile() {
    let outcome = called(&with_module(&functions(8, 60_000), 0), &["--limit", "compile-memory=100m"]);
    is_told(outcome, "compile-memory");
}

#[test]
fn a_component_that_is_too_large() {
    let large = section(0, &[leb(1), b"x".to_vec(), vec![0; 3 << 20]].concat());
    let component = [std::fs::read(crate::support::guest("well_behaved")).unwrap(), large].concat();
    is_told(called(&component, &["--limit", "component=2m"]), "component");
}

#[test]
fn a_table_of_twenty_million_elements() {
    let table = module(&[section(4, &[vec![1, 0x70, 0], leb(20_000_000)].concat())]);
    is_told(called(&with_module(&table, 1), &[]), "table-elements");
}

#[test]
fn tables_that_are_large_together() {
    let table = module(&[section(4, &[vec![1, 0x70, 0], leb(300_000)].concat())]);
    is_told(called(&with_module(&table, 10), &[]), "table-elements");
}

#[test]
fn a_memory_of_four_gigabytes() {
    let memory = module(&[section(5, &[vec![1, 0], leb(65_536)].concat())]);
    is_told(called(&with_module(&memory, 1), &[]), "memory");
}

#[test]
fn hundreds_of_instances() {
    is_told(called(&with_module(&module(&[]), 900), &[]), "instances");
    // More than the engine reads at all.
    let outcome = called(&with_module(&module(&[]), 5_000), &[]).failed(&["unsupported"]);
    assert!(
        outcome["error"]["message"].as_str().unwrap().contains("instances count exceeds limit"),
        "{outcome}"
    );
}

#[test]
fn bytes_that_are_cut_off_or_changed() {
    let honest = std::fs::read(crate::support::guest("well_behaved")).unwrap();
    let mut changed = honest.clone();
    changed[honest.len() / 2..honest.len() / 2 + 64].fill(0xff);
    let code = [&b"\x7fELF\x02\x01\x01\0"[..], &[0; 4096]].concat();
    for (attack, bytes) in [
        ("cut off", &honest[..honest.len() / 2]),
        ("changed", &changed[..]),
        ("precompiled code", &code[..]),
        ("nothing", &[][..]),
        ("a script", b"#!/bin/sh\ntouch owned\n"),
    ] {
        let outcome = called(bytes, &[]);
        assert!(matches!(outcome.code, Some(1 | 2)), "{attack}: {outcome:?}");
    }
}
