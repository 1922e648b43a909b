//! A segment of a table of entries: the entries without gaps, and an index of them.

use super::entry::{Entry, Found, Key, Part, Place, scaled};

/// Of the entries there is room for, the part that may be there after a segment has been indexed: 15/16.
const FILLED: (usize, usize) = (15, 16);
/// Entries that the smallest segment has room for.
pub(super) const ENTRIES_MIN: usize = 8;

/// Slots of an index, to entries that there is room for: 5/4.
const SLOTS: (usize, usize) = (5, 4);

/// A range of the keys of a part.
pub(super) struct Segment {
    /// Those in the index first, in the order they came.
    entries: Vec<Entry>,
    /// The number of an entry from 1 in the lowest bits, those of its tag above; 0 in an empty slot.
    index: Vec<u32>,
    /// The bits of a slot that are a tag.
    tag: u32,
    /// How many entries the index has. Those behind it are only gathered.
    indexed: usize,
}

impl Segment {
    pub(super) fn new(room: usize) -> Self {
        let entries = Vec::with_capacity(room);
        let room = entries.capacity();
        let slots = if room == 0 { 0 } else { room * SLOTS.0 / SLOTS.1 + 1 };
        // The greatest number is the room.
        let tag = u32::MAX.checked_shl(usize::BITS - room.leading_zeros()).unwrap_or_default();
        Self { entries, index: vec![0; slots], tag, indexed: 0 }
    }

    /// All entries, in the order they came.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Puts an entry behind the others, not yet in the index. Of a full segment, those that are there are
    /// brought into the index first; how often one contradicted the one of its version.
    #[inline]
    pub(super) fn gather(&mut self, entry: Entry, part: Part) -> u64 {
        let mut contradictions = 0;
        if self.entries.len() == self.entries.capacity() {
            contradictions = self.fold(part);
            self.grow_if_filled(part);
        }
        self.entries.push(entry);
        contradictions
    }

    fn home(&self, place: &Place) -> usize {
        scaled(place.position, self.index.len() as u64).0 as usize
    }

    /// What is in the home slot.
    #[inline]
    pub(super) fn slot(&self, place: &Place) -> u32 {
        self.index.get(self.home(place)).copied().unwrap_or_default()
    }

    /// The first entry with the bits of a key, which nearly always is its own.
    #[inline]
    pub(super) fn candidate(&self, place: &Place) -> Option<&Entry> {
        let slots = self.index.get(self.home(place)..)?.iter().take_while(|slot| **slot != 0);
        let mut numbers = slots.filter(|slot| (**slot ^ place.tag) & self.tag == 0);
        self.entries.get(self.number(*numbers.next()?))
    }

    /// The number of a slot's entry, from 0.
    #[inline]
    fn number(&self, slot: u32) -> usize {
        (slot & !self.tag) as usize - 1
    }

    /// The entry of a key, and whether it was there already: otherwise it is the one given. All others must
    /// be in the index.
    #[inline]
    pub(super) fn entry(
        &mut self,
        place: &Place,
        entry: Entry,
        part: Part,
    ) -> Option<(&mut Entry, Found)> {
        let slot = match self.find(place, &entry.key) {
            Ok(number) => return self.entries.get_mut(number).map(|entry| (entry, Found::There)),
            Err(slot) if self.entries.len() < self.entries.capacity() => slot,
            Err(_) => {
                self.grow(part);
                let (Ok(slot) | Err(slot)) = self.find(place, &entry.key);
                slot
            }
        };
        self.entries.push(entry);
        self.point(slot, place, self.entries.len());
        self.indexed = self.entries.len();
        self.entries.last_mut().map(|entry| (entry, Found::Placed))
    }

    /// The number of a key's entry, or the empty slot it belongs in.
    #[inline]
    fn find(&self, place: &Place, key: &Key) -> Result<usize, usize> {
        let mut at = self.home(place);
        // An index has more slots than entries: one is empty.
        loop {
            match self.index.get(at) {
                None if self.index.is_empty() => return Err(0),
                None => at = 0,
                Some(0) => return Err(at),
                Some(slot) => {
                    if (slot ^ place.tag) & self.tag == 0 {
                        let number = self.number(*slot);
                        if self.entries.get(number).is_some_and(|entry| entry.key == *key) {
                            return Ok(number);
                        }
                    }
                    at += 1;
                }
            }
        }
    }

    /// Makes a slot point to an entry, by its number from 1.
    #[inline]
    fn point(&mut self, slot: usize, place: &Place, number: usize) {
        if let Some(slot) = self.index.get_mut(slot) {
            // Entries are fewer than 2³²: memory of more than 200 GiB would be needed.
            *slot = number as u32 | place.tag & self.tag;
        }
    }

    /// Brings gathered entries into the index, in the order they came; of each key the newest version stays.
    /// How often an entry contradicts the one of its version.
    pub(super) fn fold(&mut self, part: Part) -> u64 {
        let mut contradictions = 0;
        for at in self.indexed..self.entries.len() {
            let Some(entry) = self.entries.get(at).copied() else { continue };
            let Some(place) = part.place(&entry.key) else { continue };
            match self.find(&place, &entry.key) {
                Ok(known) => {
                    let Some(known) = self.entries.get_mut(known) else { continue };
                    if known.version() < entry.version() {
                        *known = entry;
                    } else if known.version() == entry.version() && !known.is_same(&entry) {
                        contradictions += 1;
                    }
                }
                Err(slot) => {
                    if let Some(place) = self.entries.get_mut(self.indexed) {
                        *place = entry;
                    }
                    self.indexed += 1;
                    self.point(slot, &place, self.indexed);
                }
            }
        }
        self.entries.truncate(self.indexed);
        contradictions
    }

    fn grow_if_filled(&mut self, part: Part) {
        if self.entries.len() * FILLED.1 >= self.entries.capacity() * FILLED.0 {
            self.grow(part);
        }
    }

    /// Makes room for an eighth more. All entries are in the index, before and after.
    fn grow(&mut self, part: Part) {
        let room = self.entries.capacity();
        let grown = Self::new((room + room / 8).max(ENTRIES_MIN));
        let entries = std::mem::replace(self, grown).entries;
        self.entries.extend_from_slice(&entries);
        self.fold(part);
    }

    /// What it takes, with itself.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let index = self.index.capacity() * size_of::<u32>();
        size_of::<Self>() + self.entries.capacity() * size_of::<Entry>() + index
    }
}
