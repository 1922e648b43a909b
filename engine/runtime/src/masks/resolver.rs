//! From the words of a [`MaskSpec`] to a bound mask: keys and dictionaries are looked up here, in the
//! process that does the work, and never travel in a plan.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use arrow::datatypes::{DataType, FieldRef};
use engine_bundle::digest::{Digest, Digester};
use engine_masking::{BindContext, BindError, Function, LinkageKey, Lookups, Mask};
use zeroize::Zeroizing;

use super::spec::{KeyRef, MaskSpec};

/// The masking keys of this process.
pub enum MaskKeys {
    /// Types and properties can be asked for; no value can be masked. For `compile` and `plan`.
    PlanOnly,
    /// The opened keys.
    Opened(BTreeMap<KeyRef, Zeroizing<[u8; 32]>>),
}

/// Why a mask could not be made from its words.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The specification is not the JSON of a [`MaskSpec`].
    #[error("the specification of a mask cannot be read")]
    Malformed,
    /// The specification names a key this process does not hold.
    #[error("masking key {0} is not in the keyring")]
    UnknownKey(KeyRef),
    /// A keyed function without a linkage or key.
    #[error("mask `{0}` needs a key and a linkage")]
    Unkeyed(&'static str),
    /// The function refuses the parameters or the column.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// How many values a rule's mask has seen, and how many it gave back unchanged.
#[derive(Debug, Default)]
pub struct Counts {
    /// Values that were not null.
    pub values: AtomicU64,
    /// Values whose masked form equals the value.
    pub unchanged: AtomicU64,
    /// Values that the function is not made for, and masked all the same.
    pub irregular: AtomicU64,
}

/// What a mask has done so far.
#[derive(Debug, Clone)]
pub struct Counted {
    /// The function.
    pub function: String,
    /// Its specification, as it stands in compiled SQL.
    pub spec: String,
    /// Values that were not null.
    pub values: u64,
    /// Values whose masked form equals the value.
    pub unchanged: u64,
    /// Values that the function is not made for, and masked all the same.
    pub irregular: u64,
}

/// A bound mask with its counters.
pub struct Bound {
    /// The mask.
    pub mask: Arc<dyn Mask>,
    /// Shared by all masks of one specification.
    pub counts: Arc<Counts>,
}

type CacheKey = (&'static str, String, Vec<DataType>);

/// Keys, dictionaries and the masks bound so far. One per session.
pub struct Resolver {
    keys: MaskKeys,
    locale: Option<String>,
    lookups: Lookups,
    bound: RwLock<HashMap<CacheKey, Arc<Bound>>>,
    counts: RwLock<BTreeMap<(String, String), Arc<Counts>>>,
    /// Masks that have seen their whole column, by function and specification.
    whole: RwLock<BTreeMap<(String, String), Arc<dyn Mask>>>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Resolver")
    }
}

impl Resolver {
    /// A resolver over `keys` and the project's dictionaries.
    pub fn new(keys: MaskKeys, locale: Option<String>, lookups: Lookups) -> Self {
        Self {
            keys,
            locale,
            lookups,
            bound: RwLock::new(HashMap::new()),
            counts: RwLock::new(BTreeMap::new()),
            whole: RwLock::new(BTreeMap::new()),
        }
    }

    /// The digest of a dictionary's entries: another dictionary gives other masks.
    pub fn lookup_digest(&self, name: &str) -> Option<Digest> {
        let mut digester = Digester::new();
        for entry in self.lookups.get(name)?.iter() {
            digester.update(entry.as_bytes());
            digester.update(b"\n");
        }
        Some(digester.finish())
    }

    /// Whether values can be masked, not only types asked for.
    pub fn can_mask(&self) -> bool {
        matches!(self.keys, MaskKeys::Opened(_))
    }

    /// The mask of a specification, bound anew: for what a mask says of itself.
    ///
    /// # Errors
    /// As [`Resolver::bind`].
    pub fn describe(
        &self,
        function: &'static dyn Function,
        spec: &MaskSpec,
        columns: &[FieldRef],
    ) -> Result<Box<dyn Mask>, ResolveError> {
        self.make(function, spec, columns)
    }

    /// The mask that `spec` describes, bound to these columns: the masked one first. Bound once.
    ///
    /// # Errors
    /// [`ResolveError`]; it holds names and configuration only.
    pub fn bind(
        &self,
        function: &'static dyn Function,
        spec: &str,
        columns: &[FieldRef],
    ) -> Result<Arc<Bound>, ResolveError> {
        let types: Vec<DataType> = columns.iter().map(|field| field.data_type().clone()).collect();
        let cache_key = (function.name(), spec.to_owned(), types);
        if let Some(bound) =
            self.bound.read().unwrap_or_else(PoisonError::into_inner).get(&cache_key)
        {
            return Ok(Arc::clone(bound));
        }
        let parsed: MaskSpec = serde_json::from_str(spec).map_err(|_| ResolveError::Malformed)?;
        let mask = match self.seen(function.name(), spec) {
            Some(mask) => mask,
            None => Arc::from(self.make(function, &parsed, columns)?),
        };
        let bound = Arc::new(Bound { mask, counts: self.counter(function.name(), spec) });
        self.bound
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(cache_key, Arc::clone(&bound));
        Ok(bound)
    }

    /// Keeps a mask that has seen its whole column, until the next export.
    pub fn saw(&self, function: &str, spec: &MaskSpec, mask: Box<dyn Mask>) {
        // Whatever was bound before had seen nothing.
        self.bound.write().unwrap_or_else(PoisonError::into_inner).clear();
        let mut whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        whole.insert((function.to_owned(), spec.canonical()), Arc::from(mask));
    }

    fn seen(&self, function: &str, spec: &str) -> Option<Arc<dyn Mask>> {
        let whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        if whole.is_empty() {
            return None;
        }
        whole.get(&(function.to_owned(), spec.to_owned())).cloned()
    }

    fn make(
        &self,
        function: &'static dyn Function,
        spec: &MaskSpec,
        columns: &[FieldRef],
    ) -> Result<Box<dyn Mask>, ResolveError> {
        let key = if function.keyed() { Some(self.key(function, spec, None)?) } else { None };
        let input = columns.first().map_or(&DataType::Null, |field| field.data_type());
        let others = columns.get(1..).unwrap_or_default();
        let by_name = |name: &str| {
            // A plan may rename a column on its way here; its place stays.
            let place = spec.inputs.iter().position(|input| input == name);
            let field = match place {
                Some(place) => others.get(place),
                None => others.iter().find(|field| field.name() == name),
            };
            field.map(|field| field.data_type().clone())
        };
        let keys =
            |function: &dyn Function, linkage: Option<&str>| self.key(function, spec, linkage).ok();
        let context = BindContext {
            input,
            key: key.as_ref(),
            locale: self.locale.as_deref(),
            lookups: &self.lookups,
            columns: &by_name,
            name: spec.column.as_deref(),
            keys: &keys,
        };
        Ok(function.bind(&serde_json::Value::Object(spec.params.clone()), &context)?)
    }

    fn key(
        &self,
        function: &dyn Function,
        spec: &MaskSpec,
        other_linkage: Option<&str>,
    ) -> Result<LinkageKey, ResolveError> {
        let (Some(key), Some(own_linkage)) = (&spec.key, &spec.linkage) else {
            return Err(ResolveError::Unkeyed(function.name()));
        };
        let linkage = other_linkage.unwrap_or(own_linkage);
        let derive = |master: &[u8; 32]| {
            LinkageKey::derive(master, key.version, linkage, function.name(), function.abi())
        };
        match &self.keys {
            // Asking a mask for its type needs some key; `MaskUdf` refuses to apply it.
            MaskKeys::PlanOnly => Ok(derive(&[0; 32])),
            MaskKeys::Opened(keys) => match keys.get(key) {
                Some(master) => Ok(derive(master)),
                None => Err(ResolveError::UnknownKey(key.clone())),
            },
        }
    }

    fn counter(&self, function: &str, spec: &str) -> Arc<Counts> {
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(counts.entry((function.to_owned(), spec.to_owned())).or_default())
    }

    /// What each mask has done so far.
    pub fn counted(&self) -> Vec<Counted> {
        let counts = self.counts.read().unwrap_or_else(PoisonError::into_inner);
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        counts
            .iter()
            .map(|((function, spec), counts)| Counted {
                function: function.clone(),
                spec: spec.clone(),
                values: read(&counts.values),
                unchanged: read(&counts.unchanged),
                irregular: read(&counts.irregular),
            })
            .collect()
    }

    /// Forgets what was counted and seen, before the next export.
    pub fn reset(&self) {
        self.whole.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.bound.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.counts.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
