//! One execution or event as a row of a summary.

use std::collections::BTreeMap;

use super::{
    super::{
        fold::Operation,
        hex::ExecutionId,
        overview::{Glance, NodeGlance, Place},
        record::{Event, EventKind, Failure, Message, Node, Object, Privacy, State, Volume},
        script::{Class, ScriptType},
    },
    SummaryError,
    bytes::{Sink, Source, Texts},
};
use crate::retention::Moment;

/// Whether every moment of an execution has a place in a row: years 1677 to 2262.
pub(super) fn fits(operation: &Operation) -> bool {
    nanos(operation.started).is_some() && nanos(operation.updated).is_some()
}

pub(super) fn nanos(moment: Moment) -> Option<i64> {
    moment.timestamp_nanos_opt()
}

fn moment(nanos: i64) -> Moment {
    Moment::from_timestamp_nanos(nanos)
}

/// An execution as it is read: the glance, and the numbers of what else there is.
pub(super) struct Row<'a> {
    pub(super) glance: Glance<'a>,
    pub(super) tenant: Option<&'a str>,
    class: Class,
    sequence: u32,
    commit: Option<&'a str>,
    plan: Option<&'a str>,
    sql: Option<&'a str>,
    objects: Option<&'a str>,
    metadata: Option<&'a str>,
    closed_by: Option<ExecutionId>,
}

pub(super) fn write(sink: &mut Sink, operation: &Operation) -> Result<(), SummaryError> {
    let fixed = |moment: Moment| nanos(moment).ok_or(SummaryError::Malformed);
    sink.own_id(&operation.id);
    sink.byte(index(&State::ALL, &operation.status));
    sink.byte(index(&Class::ALL, &operation.class));
    sink.text(operation.script_type.word());
    sink.text(&operation.script_name);
    sink.optional(operation.tenant.as_deref());
    sink.number(operation.sequence.into());
    sink.fixed(fixed(operation.started)?);
    sink.fixed(fixed(operation.updated)?);
    sink.byte(u8::from(operation.duration_us.is_some()));
    sink.number(operation.duration_us.unwrap_or(0));
    for text in
        [&operation.user, &operation.host, &operation.commit, &operation.plan, &operation.sql]
    {
        sink.optional(text.as_deref());
    }
    let Volume { rows_read, rows_masked, rows_written, bytes_written, bytes_freed } =
        operation.volume;
    for amount in [rows_read, rows_masked, rows_written, bytes_written, bytes_freed] {
        sink.number(amount);
    }
    let error = operation.error.as_ref();
    sink.optional(error.map(|error| error.code.as_str()));
    sink.text(error.map_or("", |error| error.message.text()));
    sink.optional(objects_text(&operation.objects)?.as_deref());
    sink.optional(metadata_text(&operation.metadata)?.as_deref());
    sink.byte(u8::from(operation.closed_by.is_some()));
    sink.id(&operation.closed_by.unwrap_or(ExecutionId::ZERO));
    sink.byte(u8::from(operation.privacy.is_some()));
    if let Some(privacy) = operation.privacy {
        let Privacy { masked, kept, unclassified, open, critical, other } = privacy;
        [masked, kept, unclassified, open, critical, other]
            .into_iter()
            .for_each(|count| sink.number(count));
    }
    sink.number(operation.nodes.len() as u64);
    for node in &operation.nodes {
        sink.text(&node.name);
        sink.number(node.duration_us);
        sink.number(node.rows);
    }
    Ok(())
}

/// The next row; its nodes in `nodes`, in place of those before.
pub(super) fn read<'a>(
    id: ExecutionId,
    source: &mut Source<'_>,
    texts: &'a Texts,
    types: &'a [ScriptType],
    nodes: &mut Vec<NodeGlance<'a>>,
) -> Result<Row<'a>, SummaryError> {
    let status = at(&State::ALL, source.byte()?)?;
    let class = at(&Class::ALL, source.byte()?)?;
    let script_type = types.get(source.count()?).ok_or(SummaryError::Malformed)?;
    let script_name = source.text(texts)?;
    let tenant = source.optional(texts)?;
    let sequence = u32::try_from(source.number()?).map_err(|_| SummaryError::Malformed)?;
    let started = moment(source.fixed()?);
    let updated = moment(source.fixed()?);
    let has_duration = source.byte()? == 1;
    let duration = source.number()?;
    let user = source.optional(texts)?;
    let host = source.optional(texts)?;
    let commit = source.optional(texts)?;
    let plan = source.optional(texts)?;
    let sql = source.optional(texts)?;
    let volume = Volume {
        rows_read: source.number()?,
        rows_masked: source.number()?,
        rows_written: source.number()?,
        bytes_written: source.number()?,
        bytes_freed: source.number()?,
    };
    let code = source.optional(texts)?;
    let message = source.text(texts)?;
    let objects = source.optional(texts)?;
    let metadata = source.optional(texts)?;
    let is_crashed = source.byte()? == 1;
    let closed_by: ExecutionId = source.id()?;
    let privacy = privacy(source)?;
    nodes.clear();
    for _ in 0..source.count()? {
        let name = source.text(texts)?;
        nodes.push(NodeGlance { name, duration_us: source.number()?, rows: source.number()? });
    }
    let glance = Glance {
        id,
        script_type,
        script_name,
        status,
        started,
        updated,
        duration_us: has_duration.then_some(duration),
        user,
        host,
        volume,
        error: code.map(|code| (code, message)),
        privacy,
        is_crashed,
        nodes: (0, 0),
        place: Place { part: 0, number: 0, at: 0 },
    };
    let closed_by = is_crashed.then_some(closed_by);
    Ok(Row { glance, tenant, class, sequence, commit, plan, sql, objects, metadata, closed_by })
}

fn privacy(source: &mut Source<'_>) -> Result<Option<Privacy>, SummaryError> {
    if source.byte()? == 0 {
        return Ok(None);
    }
    Ok(Some(Privacy {
        masked: source.number()?,
        kept: source.number()?,
        unclassified: source.number()?,
        open: source.number()?,
        critical: source.number()?,
        other: source.number()?,
    }))
}

impl Row<'_> {
    /// All that is known of the execution.
    pub(super) fn operation(&self, nodes: &[NodeGlance<'_>]) -> Result<Operation, SummaryError> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let glance = &self.glance;
        let node = |node: &NodeGlance<'_>| Node {
            name: node.name.to_owned(),
            duration_us: node.duration_us,
            rows: node.rows,
        };
        Ok(Operation {
            id: glance.id,
            tenant: owned(self.tenant),
            script_name: glance.script_name.to_owned(),
            script_type: glance.script_type.clone(),
            class: self.class,
            status: glance.status,
            sequence: self.sequence,
            started: glance.started,
            updated: glance.updated,
            duration_us: glance.duration_us,
            user: owned(glance.user),
            host: owned(glance.host),
            commit: owned(self.commit),
            plan: owned(self.plan),
            sql: owned(self.sql),
            objects: objects(self.objects)?,
            volume: glance.volume,
            error: glance.error.map(|(code, message)| Failure {
                code: code.to_owned(),
                message: Message::redacted(message),
            }),
            nodes: nodes.iter().map(node).collect(),
            privacy: glance.privacy,
            closed_by: self.closed_by,
            metadata: metadata(self.metadata)?,
        })
    }
}

pub(super) fn write_event(sink: &mut Sink, event: &Event) -> Result<(), SummaryError> {
    sink.id(&event.execution);
    sink.byte(index(&EventKind::ALL, &event.kind));
    sink.fixed(nanos(event.time).ok_or(SummaryError::Malformed)?);
    sink.optional(event.tenant.as_deref());
    sink.text(&event.user);
    sink.optional(event.host.as_deref());
    sink.optional(objects_text(&event.objects)?.as_deref());
    sink.optional(metadata_text(&event.metadata)?.as_deref());
    Ok(())
}

/// An event as it is read.
pub(super) struct EventRow<'a> {
    pub(super) execution: ExecutionId,
    pub(super) kind: EventKind,
    pub(super) time: Moment,
    pub(super) tenant: Option<&'a str>,
    user: &'a str,
    host: Option<&'a str>,
    objects: Option<&'a str>,
    metadata: Option<&'a str>,
}

pub(super) fn read_event<'a>(
    source: &mut Source<'_>,
    texts: &'a Texts,
) -> Result<EventRow<'a>, SummaryError> {
    Ok(EventRow {
        execution: source.id()?,
        kind: at(&EventKind::ALL, source.byte()?)?,
        time: moment(source.fixed()?),
        tenant: source.optional(texts)?,
        user: source.text(texts)?,
        host: source.optional(texts)?,
        objects: source.optional(texts)?,
        metadata: source.optional(texts)?,
    })
}

impl EventRow<'_> {
    pub(super) fn event(&self) -> Result<Event, SummaryError> {
        Ok(Event {
            execution: self.execution,
            tenant: self.tenant.map(str::to_owned),
            kind: self.kind,
            time: self.time,
            user: self.user.to_owned(),
            host: self.host.map(str::to_owned),
            objects: objects(self.objects)?,
            metadata: metadata(self.metadata)?,
        })
    }
}

fn index<T: PartialEq>(all: &[T], one: &T) -> u8 {
    let found = all.iter().position(|known| known == one).unwrap_or(usize::MAX);
    u8::try_from(found).unwrap_or(u8::MAX)
}

fn at<T: Copy>(all: &[T], index: u8) -> Result<T, SummaryError> {
    all.get(usize::from(index)).copied().ok_or(SummaryError::Malformed)
}

/// Lists are mostly the same ones: each is a text, and each text is there once.
fn objects_text(objects: &[Object]) -> Result<Option<String>, SummaryError> {
    let text = (!objects.is_empty()).then(|| serde_json::to_string(objects));
    text.transpose().map_err(|_| SummaryError::Malformed)
}

fn metadata_text(metadata: &BTreeMap<String, String>) -> Result<Option<String>, SummaryError> {
    let text = (!metadata.is_empty()).then(|| serde_json::to_string(metadata));
    text.transpose().map_err(|_| SummaryError::Malformed)
}

fn objects(text: Option<&str>) -> Result<Vec<Object>, SummaryError> {
    text.map_or(Ok(Vec::new()), serde_json::from_str).map_err(|_| SummaryError::Malformed)
}

fn metadata(text: Option<&str>) -> Result<BTreeMap<String, String>, SummaryError> {
    text.map_or(Ok(BTreeMap::new()), serde_json::from_str).map_err(|_| SummaryError::Malformed)
}
