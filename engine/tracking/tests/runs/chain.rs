//! Nothing can be taken out of a chain, put in, changed, moved or cut off without a fault.

use engine_tracking::runs::{
    Class, Record,
    chain::{
        ChainId, CompactionLimits, Fault, Head, Known, Line, LineError, Mark, MarkError, MarkKind,
        RecordFile, Writer, compactable, heads, merge, read, verify,
    },
};
use proptest::prelude::*;

use crate::invented::{decryption, mac, moment, whole, writer};

/// The lines of one chain, as many as asked for.
fn chain_of(number: u8, count: usize) -> Vec<Line> {
    let at = moment("2026-11-23T04:00:00.25Z");
    let records = (0..).flat_map(|run| whole(run, at)).take(count);
    append(&mut Writer::new(writer(number), &[]), records)
}

fn append(writer: &mut Writer, records: impl IntoIterator<Item = Record>) -> Vec<Line> {
    records.into_iter().map(|record| writer.append(record, &mac).unwrap()).collect()
}

fn faults(lines: &[Line], heads: &[Head]) -> Vec<Fault> {
    verify(lines, Known { heads, anchors: &[] }, &mac)
}

fn id(number: u8) -> ChainId {
    ChainId { writer: writer(number), class: Class::Execution }
}

/// The same line with other text, as somebody without the key would change it.
fn altered(line: &Line, from: &str, to: &str) -> Line {
    let text = String::from_utf8(line.to_bytes().unwrap()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    Line::parse(text.replacen(from, to, 1).as_bytes()).unwrap()
}

#[test]
fn the_format_stays() {
    let mut writer_a = Writer::new(writer(0xaa), &[]);
    let other = chain_of(0xbb, 1).first().unwrap().place();
    writer_a.witness(&[other]);
    let at = moment("2026-11-23T04:00:00.25Z");
    let mut lines = append(&mut writer_a, whole(7, at));
    lines.extend(append(&mut writer_a, [decryption(7, at)]));
    let bytes: Vec<u8> = lines.iter().flat_map(|line| line.to_bytes().unwrap()).collect();
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), include_str!("golden/lines.v1.ndjson"));
    assert_eq!(read(&bytes), (lines, Vec::new()));
}

#[test]
fn only_canonical_lines_are_read() {
    let line = chain_of(1, 2).pop().unwrap();
    let text = String::from_utf8(line.to_bytes().unwrap()).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Line::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    let unknown = LineError::UnknownVersion { found: 2 };
    assert_eq!(refused(r#"version":1"#, r#"version":2"#), unknown);
    assert_eq!(refused(r#"version":1,"#, r#"version":2,"colour":1,"#), unknown);
    assert_eq!(refused("250Z", "25Z"), LineError::NotCanonical);
    assert_eq!(refused(":1,", ": 1,"), LineError::NotCanonical);
    assert_eq!(refused(r#""user""#, r#""closed_by":null,"user""#), LineError::NotCanonical);
    assert_eq!(
        refused(r#""class":"execution","sequence""#, r#""class":"security","sequence""#),
        LineError::Class
    );
    for (from, to) in [("started", "stopped"), ("user", "owner"), ("T04", "T25"), ("}\n", "\n")] {
        assert!(matches!(refused(from, to), LineError::Format { .. }), "{to}");
    }
    let (lines, refused) = read(format!("{text}\nnonsense\n{text}").as_bytes());
    assert_eq!(lines.len(), 2);
    assert_eq!(refused, [(3, LineError::Format { column: 2 })]);
}

#[test]
fn each_class_has_a_chain_of_its_own() {
    let at = moment("2026-11-23T04:00:00Z");
    let mut one = Writer::new(writer(1), &[]);
    let mut lines = append(&mut one, whole(1, at));
    lines.extend(append(&mut one, [decryption(1, at)]));
    lines.extend(append(&mut one, whole(2, at)));
    let positions: Vec<_> = lines.iter().map(|line| line.place().position).collect();
    assert_eq!(positions, [1, 2, 3, 1, 4, 5, 6]);
    assert_eq!(one.heads(), heads(&lines));
    assert_eq!(faults(&lines, &one.heads()), []);
}

#[test]
fn a_writer_goes_on_where_its_chains_end() {
    let mut lines = chain_of(1, 4);
    let at = moment("2026-11-23T05:00:00Z");
    let mut again = Writer::new(writer(1), &heads(&lines));
    lines.extend(append(&mut again, whole(9, at)));
    assert_eq!(faults(&lines, &again.heads()), []);
    assert_eq!(lines.last().unwrap().place().position, 7);
}

#[test]
fn each_kind_of_damage_has_its_name() {
    let whole = chain_of(1, 6);
    let heads = heads(&whole);
    let chain = id(1);
    let without = |gone: &[usize]| {
        let kept = whole.iter().enumerate().filter(|(index, _)| !gone.contains(index));
        faults(&kept.map(|(_, line)| line.clone()).collect::<Vec<_>>(), &heads)
    };
    assert_eq!(without(&[]), []);
    assert_eq!(without(&[0, 1]), [Fault::Missing { chain, first: 1, last: 2 }]);
    assert_eq!(without(&[2, 4]).len(), 2);
    assert_eq!(without(&[4, 5]), [Fault::Truncated { chain, found: 4, known: 6 }]);
    assert_eq!(without(&[0, 1, 2, 3, 4, 5]), [Fault::Truncated { chain, found: 0, known: 6 }]);

    let mut changed = whole.clone();
    changed[1] = altered(&whole[1], "anna", "otto");
    assert_eq!(faults(&changed, &heads), [Fault::Changed { chain, position: 2 }]);
    let mut inserted = whole.clone();
    inserted.insert(2, changed[1].clone());
    assert_eq!(faults(&inserted, &heads), [Fault::Inserted { chain, position: 2 }]);
    let mut appended = whole.clone();
    appended.push(altered(&whole[5], r#""position":6"#, r#""position":900"#));
    assert_eq!(faults(&appended, &heads), [Fault::Inserted { chain, position: 900 }]);
    let mut swapped = whole.clone();
    swapped.swap(3, 4);
    assert_eq!(faults(&swapped, &heads), [Fault::Reordered { chain, position: 4 }]);
    let moved = altered(&whole[2], &writer(1).to_string(), &writer(2).to_string());
    let found = faults(&[whole.clone(), vec![moved]].concat(), &heads);
    let chain = id(2);
    assert_eq!(found, [Fault::Inserted { chain, position: 3 }]);
}

#[test]
fn a_chain_written_on_from_an_earlier_state_is_a_fork() {
    let lines = chain_of(1, 6);
    let mut earlier = Writer::new(writer(1), &heads(&lines[..3]));
    let fork = append(&mut earlier, whole(77, moment("2026-11-24T00:00:00Z")));
    let chain = id(1);
    let both = [&lines[..], &fork[..1]].concat();
    let found = faults(&both, &heads(&lines));
    assert_eq!(found.first(), Some(&Fault::Forked { chain, position: 4 }));

    // With the original's end removed, its head tells.
    let instead = [&lines[..3], &fork[..]].concat();
    assert_eq!(faults(&instead, &heads(&instead)), []);
    assert_eq!(faults(&instead, &heads(&lines)), [Fault::Forked { chain, position: 6 }]);

    // One line of the fork in the place of the original's.
    let mut patched = lines.clone();
    patched[3] = fork[0].clone();
    assert_eq!(faults(&patched, &heads(&lines)), [Fault::Unlinked { chain, position: 5 }]);
}

#[test]
fn another_chain_remembers_what_was_cut_off() {
    let lines = chain_of(1, 6);
    let mut other = Writer::new(writer(2), &[]);
    other.witness(&heads(&lines));
    let seen_by = append(&mut other, whole(50, moment("2026-11-24T00:00:00Z")));
    assert_eq!(seen_by[0].seen(), heads(&lines));
    assert_eq!(seen_by[1].seen(), []);
    let chain = id(1);
    // Lines and head are taken back together; the other's line still names the end.
    let cut = [&lines[..4], &seen_by[..]].concat();
    assert_eq!(faults(&cut, &heads(&cut)), [Fault::Truncated { chain, found: 4, known: 6 }]);
    let gone = faults(&seen_by, &other.heads());
    assert_eq!(gone, [Fault::Truncated { chain, found: 0, known: 6 }]);
}

#[test]
fn what_retention_removed_is_no_fault_and_what_others_removed_is() {
    let lines = chain_of(1, 6);
    let heads = heads(&lines);
    let chain = id(1);
    let anchors = [lines[2].place()];
    let known = Known { heads: &heads, anchors: &anchors };
    assert_eq!(verify(&lines[3..], known, &mac), []);
    // Interrupted: the anchor stands, the lines before it are not all gone yet.
    assert_eq!(verify(&lines[1..], known, &mac), []);
    assert_eq!(verify(&lines, known, &mac), []);
    let found = verify(&lines[4..], known, &mac);
    assert_eq!(found, [Fault::Missing { chain, first: 4, last: 4 }]);
    let all = Known { heads: &heads, anchors: &heads };
    assert_eq!(verify(&[], all, &mac), []);
}

#[test]
fn a_chain_without_a_head_is_reported() {
    let found = faults(&chain_of(1, 3), &[]);
    assert_eq!(found, [Fault::Unheaded { chain: id(1), found: 3 }]);
    assert!(found[0].to_string().contains("after record 3"));
}

#[test]
fn another_key_finds_everything_changed() {
    let lines = chain_of(1, 3);
    let found = verify(&lines, Known { heads: &heads(&lines), anchors: &[] }, &|_| [7; 32]);
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|fault| matches!(fault, Fault::Changed { .. })), "{found:?}");
}

#[test]
fn marks_are_believed_under_their_key_only() {
    let head = chain_of(1, 3).last().unwrap().place();
    let mark = Mark { kind: MarkKind::Anchor, head };
    let bytes = mark.to_bytes(&mac).unwrap();
    assert_eq!(Mark::parse(&bytes, &mac), Ok(mark));
    assert_eq!(Mark::parse(&bytes, &|_| [7; 32]), Err(MarkError::Changed));
    let text = String::from_utf8(bytes).unwrap();
    for (from, to, error) in [
        ("anchor", "head", MarkError::Changed),
        (r#""position":3"#, r#""position":2"#, MarkError::Changed),
        (r#""position":3"#, r#""position": 3"#, MarkError::Changed),
        (r#"version":1"#, r#"version":2"#, MarkError::Format),
        ("kind", "sort", MarkError::Format),
    ] {
        assert!(text.contains(from), "{from}");
        let other = text.replacen(from, to, 1);
        assert_eq!(Mark::parse(other.as_bytes(), &mac), Err(error), "{to}");
    }
}

#[test]
fn compaction_interrupted_anywhere_leaves_no_fault() {
    let lines: Vec<Line> = [chain_of(1, 5), chain_of(2, 4)].concat();
    let heads = heads(&lines);
    let files: Vec<Vec<Line>> = lines.iter().map(|line| vec![line.clone()]).collect();
    let merged = merge(files.clone());
    assert_eq!(merged, lines);
    for gone in 0..=lines.len() {
        let left = [&merged[..], &lines[gone..]].concat();
        assert_eq!(faults(&left, &heads), [], "{gone}");
        assert_eq!(merge(vec![merged.clone(), lines[gone..].to_vec()]), lines);
    }
    let forged = altered(&lines[1], "anna", "otto");
    assert!(merge([files, vec![vec![forged.clone()]]].concat()).contains(&forged));
}

#[test]
fn files_of_one_chain_and_month_are_compacted_up_to_a_size() {
    let file = |name: &str, chain: u8, first: u64, day: &str, bytes: u64| RecordFile {
        name: name.to_owned(),
        chain: id(chain),
        first,
        at: moment(&format!("{day}T00:00:00Z")),
        bytes,
    };
    let files = [
        file("c", 1, 9, "2026-10-30", 40),
        file("a", 1, 1, "2026-10-01", 40),
        file("b", 1, 5, "2026-10-20", 20),
        file("d", 1, 12, "2026-10-31", 10),
        file("e", 1, 15, "2026-11-01", 10),
        file("large", 1, 16, "2026-11-02", 100),
        file("f", 1, 19, "2026-11-03", 10),
        file("g", 1, 21, "2026-11-03", 49),
        file("half", 1, 23, "2026-11-03", 50),
        file("h", 2, 1, "2026-11-03", 10),
    ];
    let bytes_max = 100.try_into().unwrap();
    let groups = compactable(&files, CompactionLimits { bytes_max, files_min: 0 });
    assert_eq!(groups, [vec!["a", "b", "c"], vec!["f", "g"]], "large ones stay between others");
    let groups = compactable(&files, CompactionLimits { bytes_max, files_min: 3 });
    assert_eq!(groups, [vec!["a", "b", "c"]]);
}

/// What somebody with access to the store, and without the key, can do to one chain.
#[derive(Clone, Debug)]
enum Damage {
    Remove(Vec<prop::sample::Index>),
    Truncate(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Flip(prop::sample::Index, prop::sample::Index, u8),
    Renumber(prop::sample::Index, u64),
    Transplant(prop::sample::Index, prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        prop::collection::vec(index(), 1..5).prop_map(Damage::Remove),
        index().prop_map(Damage::Truncate),
        (index(), index()).prop_map(|(one, other)| Damage::Swap(one, other)),
        (index(), index(), 1..=255_u8)
            .prop_map(|(line, byte, bits)| Damage::Flip(line, byte, bits)),
        (index(), 0..20_u64).prop_map(|(line, to)| Damage::Renumber(line, to)),
        (index(), index()).prop_map(|(from, to)| Damage::Transplant(from, to)),
    ]
}

/// The text of the store after the damage.
fn damaged(lines: &[Line], damage: &Damage) -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = lines.iter().map(|line| line.to_bytes().unwrap()).collect();
    let count = texts.len();
    match damage {
        Damage::Remove(which) => {
            let gone: Vec<usize> = which.iter().map(|index| index.index(count)).collect();
            let mut index = 0;
            texts.retain(|_| {
                index += 1;
                !gone.contains(&(index - 1))
            });
        }
        Damage::Truncate(at) => texts.truncate(at.index(count)),
        Damage::Swap(one, other) => texts.swap(one.index(count), other.index(count)),
        Damage::Flip(line, byte, bits) => {
            let text = &mut texts[line.index(count)];
            let at = byte.index(text.len() - 1);
            text[at] ^= bits;
        }
        Damage::Renumber(line, to) => {
            let text = &mut texts[line.index(count)];
            let place = lines[line.index(count)].place().position;
            let old = String::from_utf8(text.clone()).unwrap();
            *text = old
                .replacen(&format!(r#""position":{place}"#), &format!(r#""position":{to}"#), 1)
                .into_bytes();
        }
        Damage::Transplant(from, to) => texts[to.index(count)] = texts[from.index(count)].clone(),
    }
    texts
}

proptest! {
    #[test]
    fn no_damage_goes_unnoticed(count in 1..12_usize, damage in damage(), apart in any::<bool>()) {
        let lines = chain_of(1, count);
        let texts = damaged(&lines, &damage);
        let before: Vec<_> = lines.iter().map(|line| line.to_bytes().unwrap()).collect();
        prop_assume!(texts != before);
        let bytes = texts.concat();
        let (mut left, refused) = read(&bytes);
        if apart {
            left.extend(chain_of(2, 3));
        }
        let heads = [heads(&lines), heads(&chain_of(2, if apart { 3 } else { 0 }))].concat();
        let found = faults(&left, &heads);
        prop_assert!(!found.is_empty() || !refused.is_empty(), "{damage:?}");
        // Lines that cannot be read are not passed over by the chain either.
        prop_assert!(!found.is_empty(), "{damage:?}: only {refused:?}");
    }

    #[test]
    fn what_nobody_touched_has_no_fault(
        turns in prop::collection::vec((1..4_u8, 1..5_usize, any::<bool>()), 1..12),
    ) {
        let mut store: Vec<Line> = Vec::new();
        for (run, (number, count, sees)) in turns.into_iter().enumerate() {
            let mut writer = Writer::new(writer(number), &heads(&store));
            if sees {
                writer.witness(&heads(&store));
            }
            let at = moment("2026-11-23T04:00:00Z");
            let records = whole(run as u64, at).into_iter().chain([decryption(run as u64, at)]);
            store.extend(append(&mut writer, records.take(count)));
        }
        prop_assert_eq!(faults(&store, &heads(&store)), []);
        let files = store.chunks(3).map(<[_]>::to_vec).collect();
        prop_assert_eq!(faults(&merge(files), &heads(&store)), []);
    }
}
