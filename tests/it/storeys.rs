//! The house stands: modules only look down, and pure modules touch nothing of the world.
//!
//! Every path that code names is read from the source, comments, strings and test modules left
//! out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The storeys, lowest first; inside a storey, a module may use those before it.
const STOREYS: &[&[&[&str]]] = &[
    // Words.
    &[&["domain"]],
    // Thought.
    &[&["forecast"], &["policy"], &["engine"], &["planner"], &["decide"]],
    // Edges: adapters stand side by side and don't know each other.
    &[
        &["ports", "telemetry"],
        &["store"],
        &["prometheus", "linode", "ansible", "haproxy", "notify"],
    ],
    // Action.
    &[&["reconciler"], &["sim", "policytest"]],
    // Face.
    &[&["console"], &["api"], &["config"], &["daemon", "sandbox"], &["cli"]],
];

/// What a module may not use although it lies below it, and what it may although the order
/// above says no.
const NOT_EVEN_BELOW: &[(&str, &[&str])] = &[
    ("reconciler", &["prometheus", "linode", "ansible", "haproxy", "notify"]),
    ("sim", &["prometheus", "linode", "ansible", "haproxy", "notify"]),
    ("api", &["prometheus", "linode", "ansible", "haproxy", "notify"]),
    ("sandbox", &["prometheus", "linode", "ansible", "haproxy", "notify", "daemon", "reconciler"]),
];

/// Modules that only think.
const PURE: &[&str] =
    &["domain", "policy", "forecast", "engine", "planner", "decide", "policytest"];

/// What a pure module may not name, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    ("async fn", "async"),
    ("async {", "async"),
    ("async move", "async"),
    (".await", "async"),
    ("tokio", "async"),
    ("futures", "async"),
    ("Timestamp::now", "a clock"),
    ("Zoned::now", "a clock"),
    ("SystemTime", "a clock"),
    ("Instant", "a clock"),
    ("now_v7", "chance"),
    ("new_v4", "chance"),
    ("rand::", "chance"),
    ("getrandom", "chance"),
    ("HashMap", "an order by chance"),
    ("HashSet", "an order by chance"),
    ("std::env", "the environment"),
    ("env::var", "the environment"),
    ("std::fs", "files"),
    ("std::process", "processes"),
    ("std::thread", "threads"),
    ("tracing::", "logging"),
    ("println!", "logging"),
    ("log::", "logging"),
    ("sqlx", "SQL"),
    ("reqwest", "HTTP"),
    ("axum", "HTTP"),
    ("hyper", "HTTP"),
];

#[test]
fn modules_only_look_down() {
    let mut wrong = Vec::new();
    for (module, file, code) in sources() {
        for used in modules_named(&code) {
            if !may_use(&module, &used) {
                wrong.push(format!("{}: {module} uses {used}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn pure_modules_touch_nothing_of_the_world() {
    let mut wrong = Vec::new();
    for (module, file, code) in sources().into_iter().filter(|(m, _, _)| PURE.contains(&&**m)) {
        for (word, why) in FORBIDDEN.iter().filter(|(word, _)| names(&code, word)) {
            wrong.push(format!("{}: `{word}` in {module}: {why}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_storey() {
    let known = places();
    for (module, file, _) in sources() {
        assert!(known.contains_key(module.as_str()), "{}: which storey?", file.display());
    }
}

#[test]
fn the_check_sees_what_it_must_refuse() {
    assert!(!may_use("engine", "planner"), "planner stands right of engine");
    assert!(!may_use("planner", "store"), "store is a storey above planner");
    assert!(!may_use("linode", "haproxy"), "adapters don't know each other");
    assert!(!may_use("reconciler", "linode"), "the reconciler knows ports, not adapters");
    assert!(may_use("reconciler", "store") && may_use("cli", "daemon") && may_use("api", "domain"));
    assert!(names("x.await;", ".await") && !names("x.awaiting", ".await"));
    let code = "use crate::{store::Store, domain::Node};\nfn f() { crate::api::serve(); }";
    assert_eq!(modules_named(code), ["api", "domain", "store"]);
    let code = strip("let a = \"crate::api\"; // crate::cli\n/* crate::sim */ crate::domain::x();");
    assert_eq!(modules_named(&code), ["domain"]);
}

/// Storey and place of each module.
fn places() -> BTreeMap<&'static str, (usize, usize)> {
    let mut places = BTreeMap::new();
    for (storey, groups) in STOREYS.iter().enumerate() {
        for (place, modules) in groups.iter().enumerate() {
            places.extend(modules.iter().map(|module| (*module, (storey, place))));
        }
    }
    places
}

fn may_use(module: &str, used: &str) -> bool {
    let places = places();
    if module == used {
        return true;
    }
    let forbidden = NOT_EVEN_BELOW.iter().find(|(name, _)| *name == module);
    if forbidden.is_some_and(|(_, names)| names.contains(&used)) {
        return false;
    }
    match (places.get(module), places.get(used)) {
        (Some(own), Some(other)) => other < own,
        _ => false,
    }
}

/// Whether `code` has `wanted` as whole words.
fn names(code: &str, wanted: &str) -> bool {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(wanted).any(|(start, found)| {
        let (before, after) = (&code[..start], &code[start + found.len()..]);
        let begins = !wanted.starts_with(part) || !before.ends_with(part);
        begins && (!wanted.ends_with(part) || !after.starts_with(part))
    })
}

/// Every source file's module, path and code.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(30 < files.len(), "the sources were not found");
    files
        .into_iter()
        .filter_map(|file| {
            let inside = file.strip_prefix(&root).expect("below src").to_path_buf();
            let first = inside.components().next()?.as_os_str().to_str()?.to_string();
            let module = first.trim_end_matches(".rs").to_string();
            let own = module != "main" && module != "lib";
            let is_test = inside.iter().any(|part| {
                let part = part.to_string_lossy();
                part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs")
            });
            let code = strip(&fs::read_to_string(&file).expect("a readable source file"));
            (own && !is_test).then_some((module, inside, code))
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// The code without comments, string literals and everything from `#[cfg(test)]` on.
fn strip(source: &str) -> String {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut code = String::new();
    let mut rest = source;
    while let Some(next) = rest.find(['/', '"', '\'']) {
        let (before, at) = rest.split_at(next);
        code.push_str(before);
        let skipped = if at.starts_with("//") {
            at.find('\n').unwrap_or(at.len())
        } else if at.starts_with("/*") {
            at.find("*/").map_or(at.len(), |end| end + 2)
        } else if at.starts_with('"') {
            end_of_string(at)
        } else if at.starts_with("'\"'") || at.starts_with("'/'") {
            3
        } else {
            code.push_str(&at[..1]);
            1
        };
        rest = &at[skipped..];
    }
    code.push_str(rest);
    code
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (place, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// Top modules that code names after `crate::`, sorted, once each.
fn modules_named(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        let after = &code[start + "crate::".len()..];
        if let Some(group) = after.strip_prefix('{') {
            names.extend(first_names(group));
        } else {
            names.push(word(after));
        }
    }
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
}

/// The first word of each member of a `{…}` group.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut expects) = (0, Vec::new(), true);
    for (place, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects = true,
            _ if expects && (letter.is_alphanumeric() || letter == '_') => {
                names.push(word(&group[place..]));
                expects = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}
