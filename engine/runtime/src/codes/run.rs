//! E08xx: what can go wrong, or be refused, while a plan is carried out.
//!
//! ```text
//!  plan ──E0807…E0811──▶ execute ──E0801…E0803, E0813, E0814──▶ gates ──E0804…E0806──▶ commit ──▶ load ──E0812
//! ```

use super::Code;
use crate::exit::Exit;

/// Every code of this range, in ascending order.
pub const ALL: &[&Code] = &[
    &OUT_OF_MEMORY,
    &VALUE_CONVERSION,
    &MASK_FAILED,
    &MASK_UNCHANGED,
    &TEST_FAILED,
    &K_ANONYMITY,
    &PLAN_STALE,
    &PLAN_REQUIRED,
    &PLAN_UNREADABLE,
    &NOTHING_SELECTED,
    &NOTHING_TO_RETRY,
    &LOAD_FAILED,
    &INTERRUPTED,
    &EXECUTION,
    &PLAN_NOT_APPROVED,
    &APPROVAL_INVALID,
    &L_DIVERSITY,
    &LEAK,
    &MASK_IRREGULAR,
    &INTERNAL,
];

/// Not enough memory.
pub static OUT_OF_MEMORY: Code = Code {
    id: "E0801",
    title: "Not enough memory",
    exit: Exit::Failed,
    what: "An operator of the plan, often a sort, join or aggregation, needs more memory than the \
          run may use.",
    why: "The way out of other engines is to write intermediate rows to disk. Those rows are not \
          masked yet, so this engine stops instead.",
    example: "engine run --memory 32MiB     # with a model that sorts a large table",
    fix: "Raise `--memory` or `execution: {memory: …}`, lower `--jobs`, or filter and aggregate \
          earlier in the model.",
};

/// A value cannot be converted.
pub static VALUE_CONVERSION: Code = Code {
    id: "E0802",
    title: "A value cannot be converted",
    exit: Exit::Failed,
    what: "A model converts a column to another type, or computes with it, and some value does not \
          fit.",
    why: "A null in its place would hide the error. The value is not shown because it may be \
          sensitive.",
    example: "SELECT CAST(phone AS BIGINT) AS phone FROM {{ source('crm', 'customers') }}",
    fix: "Use `try_cast(… AS …)` where a null is right, or filter such rows out first.",
};

/// A mask failed.
pub static MASK_FAILED: Code = Code {
    id: "E0803",
    title: "A mask failed",
    exit: Exit::Failed,
    what: "A masking function refused a batch of rows. Nothing of the export was published.",
    why: "Rows that a mask refused must not leave, and leaving them out would publish an \
          incomplete export.",
    example: "engine run     # with a column whose masked text is larger than one batch can hold",
    fix: "Follow the message. Lower `execution: {batch_rows: …}` when a batch is too large.",
};

/// A mask changed too little.
pub static MASK_UNCHANGED: Code = Code {
    id: "E0804",
    title: "A mask changed too little",
    exit: Exit::GateRefused,
    what: "A masking rule gave back more values unchanged than it may: more than one in five, or, for \
          functions whose result may be the value itself, such as `bucket`, nearly all. Nothing of the \
          export was published.",
    why: "A mask that returns what it was given does not protect, however it is configured.",
    example: r#"- {name: notes, match: {class: pii.note}, mask: redact, params: {with: "n/a"}}     # the column holds n/a everywhere"#,
    fix: "Use another function or other parameters for the column. If the column holds no personal \
          data, keep it with an owner and a reason.",
};

/// A test failed.
pub static TEST_FAILED: Code = Code {
    id: "E0805",
    title: "A test failed",
    exit: Exit::Failed,
    what: "A test of a column or export found rows that break it. Nothing of the export was \
          published.",
    why: "Recipients rely on what is tested.",
    example: "\
columns:
  - {name: email, type: string, class: pii.email, tests: [not_null]}     # a row has none",
    fix: "Mend the data, filter the rows out with `where`, or change the test.",
};

/// Groups are too small.
pub static K_ANONYMITY: Code = Code {
    id: "E0806",
    title: "Groups are too small",
    exit: Exit::GateRefused,
    what: "Some combinations of the masked columns occur in fewer rows than `k_anonymity` asks for. \
          Nothing of the export was published.",
    why: "A person who is alone in a group can be found again by whoever knows those columns from \
          elsewhere.",
    example: "tests: [{k_anonymity: {columns: [birth_date, postal_code], k: 5}}]",
    fix: "Coarsen the columns with `bucket` or `truncate`, leave one out, or filter the small \
          groups out.",
};

/// The plan is stale.
pub static PLAN_STALE: Code = Code {
    id: "E0807",
    title: "The plan is stale",
    exit: Exit::StalePlan,
    what: "The configuration, a source's schema, a base snapshot, a key version or the engine is \
          another one than when the plan was made.",
    why: "What was reviewed is not what would happen now.",
    example: "engine plan && touch data/new.csv && sed -i s/email/redact/ policies/masking.yml && engine run --plan target/plan.json",
    fix: "Run `engine plan` again and have the new plan reviewed.",
};

/// The target needs a reviewed plan.
pub static PLAN_REQUIRED: Code = Code {
    id: "E0808",
    title: "The target needs a reviewed plan",
    exit: Exit::GateRefused,
    what: "The target is `protected: true`, and `engine run` was started without `--plan`.",
    why: "On such a target nothing happens that nobody has seen before.",
    example: "engine run --target prod",
    fix: "Run `engine plan --target prod --out plan.json`, have it reviewed, then `engine run \
          --target prod --plan plan.json`.",
};

/// The plan file cannot be read.
pub static PLAN_UNREADABLE: Code = Code {
    id: "E0809",
    title: "The plan file cannot be read",
    exit: Exit::Usage,
    what: "The file given with `--plan` does not exist or is no plan of this engine.",
    why: "A plan that was edited or damaged is not what was reviewed.",
    example: "engine run --plan engine.yml",
    fix: "Give the file that `engine plan --out` wrote, unchanged.",
};

/// Nothing was selected.
pub static NOTHING_SELECTED: Code = Code {
    id: "E0810",
    title: "Nothing was selected",
    exit: Exit::NothingSelected,
    what: "The selector given with `--select` matches no export, or the project declares none.",
    why: "A run that does nothing because of a misspelt name must not look like one that \
          succeeded.",
    example: "engine run --select costumers",
    fix: "Correct the selector, or declare an export.",
};

/// There is nothing to retry.
pub static NOTHING_TO_RETRY: Code = Code {
    id: "E0811",
    title: "There is nothing to retry",
    exit: Exit::NothingSelected,
    what: "There is no record of an earlier run in `target/`, or the one asked for has nothing left \
          to do.",
    why: "`engine retry` takes up where a run stopped, and never starts a new one.",
    example: "rm -rf target && engine retry",
    fix: "Use `engine run`.",
};

/// A load failed.
pub static LOAD_FAILED: Code = Code {
    id: "E0812",
    title: "A load failed",
    exit: Exit::Failed,
    what: "The snapshot was committed, and loading it into a connection failed. The load was rolled \
          back.",
    why: "Sealing and loading are two steps: what is committed stays valid while a database is \
          away.",
    example: "load: [{connection: uat, table: customers}]     # the database's folder does not exist",
    fix: "Mend the connection, then run `engine load EXPORT --to CONNECTION` or `engine retry`.",
};

/// Interrupted.
pub static INTERRUPTED: Code = Code {
    id: "E0813",
    title: "Interrupted",
    exit: Exit::Interrupted,
    what: "The run was stopped by a signal. Exports that were committed before stay; of the others \
          nothing is visible.",
    why: "A snapshot becomes visible only when all of it is stored.",
    example: "timeout --signal=INT 1 engine run",
    fix: "Run `engine retry` to take up where it stopped, or `engine run`.",
};

/// A query failed while it ran.
pub static EXECUTION: Code = Code {
    id: "E0814",
    title: "A query failed while it ran",
    exit: Exit::Failed,
    what: "An operator of the plan failed for a reason that is neither memory nor a value that \
          cannot be converted.",
    why: "The library's own text is not shown because it could quote data.",
    example: "SELECT 1 / (total - total) AS share FROM {{ source('shop', 'orders') }}",
    fix: "Look at the model's SQL for operations that fail on some values, such as a division by \
          zero or an overflow.",
};

/// A widening is not approved.
pub static PLAN_NOT_APPROVED: Code = Code {
    id: "E0815",
    title: "A plan that widens what can be read is not approved",
    exit: Exit::GateRefused,
    what: "The target is protected, the plan lets more be read than before, and not every owner of such a \
          change has approved it.",
    why: "What becomes readable cannot be taken back: whoever answers for it decides before it happens.",
    example: "engine plan --target prod --out plan.json && engine run --target prod --plan plan.json",
    fix: "Have the owners that the message names run `engine approve PLAN --owner OWNER --key FILE`, and \
          keep the signatures beside the plan.",
};

/// A signature does not hold.
pub static APPROVAL_INVALID: Code = Code {
    id: "E0816",
    title: "An approval does not hold",
    exit: Exit::GateRefused,
    what: "A signature is not one of its owner's keys over the plan beside it, or could not be made.",
    why: "A signature over another plan, or by somebody else, approves nothing.",
    example: "engine approve plan.json --owner @dpo --key somebody-elses-key",
    fix: "Sign the plan as it is now, with a key whose public half stands under `owners` in engine.yml.",
};

/// Groups show too few values.
pub static L_DIVERSITY: Code = Code {
    id: "E0817",
    title: "Groups show too few values",
    exit: Exit::GateRefused,
    what: "The rows that share the values of some columns hold fewer different values of a sensitive \
           column than the test `l_diversity` asks for.",
    why: "Whoever knows that a person is in such a group knows the person's value, however large the \
          group is (Machanavajjhala et al., l-Diversity, 2007).",
    example: "tests: [{l_diversity: {columns: [country], sensitive: diagnosis, l: 2}}]",
    fix: "Coarsen the columns that make the groups, leave one out, or leave small groups out with `where`.",
};

/// A value can be read in what it was masked to.
pub static LEAK: Code = Code {
    id: "E0818",
    title: "A value leaked",
    exit: Exit::GateRefused,
    what: "A value of a masked column also occurs among the values that the mask wrote, in the same row \
           or another.",
    why: "A reader cannot tell such a value from an invented one, and a mask that writes values of real \
          people shows that they are there.",
    example: "tests: [{leak: {column: first_name}}]     # masked with a dictionary of common names",
    fix: "Use a mask whose results cannot be values of the column, such as `token`, or a dictionary of \
          invented values; leave the test out where shared values say nothing.",
};

/// Values are not what their mask is for.
pub static MASK_IRREGULAR: Code = Code {
    id: "E0819",
    title: "Values are not what their mask is for",
    exit: Exit::GateRefused,
    what: "A mask for values of one kind, such as card numbers with a check digit, was given others. They were \
           masked by their shape, or became what the rule's `otherwise` says, and are counted here.",
    why: "Nothing of them is shown, but a receiver who relies on the form will meet values that have another. This is a \
          warning: the snapshot was published.",
    example: "- {name: cards, match: {class: pii.card}, mask: card}     # and a column that holds `none` here and there",
    fix: "Look at the column's values in the source. If they are right, use a mask that fits them, or a rule with \
          `when`.",
};

/// A defect of the engine.
pub static INTERNAL: Code = Code {
    id: "E0899",
    title: "A defect of the engine",
    exit: Exit::Internal,
    what: "Something happened that the engine's authors held to be impossible.",
    why: "Going on in a state that nobody foresaw could publish what must stay.",
    example: "engine run     # there is no known way to get this",
    fix: "Please report it with the message, the engine's version and the command. The message \
          holds no data.",
};
