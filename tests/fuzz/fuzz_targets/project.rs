//! Any text as a section file of a project.
#![no_main]

use engine_project::LoadOptions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let profiles = "targets: {dev: {store: 'file://s', connections: {c: {type: csv, url: d}}}}";
    let files = [
        ("engine.yml", "{name: fuzz, edition: 2026}"),
        ("profiles.yml", profiles),
        ("sources/fuzz.yml", text),
    ];
    for (path, text) in files {
        let path = folder.path().join(path);
        let made = path.parent().map(std::fs::create_dir_all);
        if !matches!(made, Some(Ok(()))) || std::fs::write(&path, text).is_err() {
            return;
        }
    }
    let _ = engine_project::load(folder.path(), &LoadOptions::default());
});
