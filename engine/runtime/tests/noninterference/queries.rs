//! Random queries over the two tables: every kind of clause, nested in each other.

use super::data::{TABLES, Type};

/// A source of queries; equal seeds give equal ones.
pub(super) struct Queries {
    state: u64,
    names: usize,
}

/// A relation in a `FROM`: its text, and the columns it offers, qualified.
struct From {
    text: String,
    columns: Vec<(String, Type)>,
}

impl Queries {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03, names: 0 }
    }

    /// A whole query.
    pub(super) fn query(&mut self) -> String {
        match self.below(12) {
            0 => self.recursive(),
            1 => self.with(),
            2 => self.unnested(),
            3 => self.lateral(),
            4 => self.grouping_sets(),
            _ => self.select(2).0,
        }
    }

    /// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        let at = self.below(of.len());
        of[at].clone()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("x{}", self.names)
    }

    /// A SELECT with the names and types of its columns; `depth` levels of subqueries at most.
    fn select(&mut self, depth: usize) -> (String, Vec<(String, Type)>) {
        if depth > 0 && self.one_in(6) {
            return self.set_operation(depth - 1);
        }
        let from = self.from(depth);
        if self.one_in(4) {
            return self.grouped(&from, depth);
        }
        let mut items = Vec::new();
        let mut columns = Vec::new();
        for _ in 0..2 + self.below(3) {
            let of = self.pick(&[Type::Int, Type::Text]);
            let name = self.name();
            let item = if self.one_in(6) {
                self.window(&from, of, depth)
            } else {
                self.expr(&from.columns, of, depth)
            };
            items.push(format!("{item} AS {name}"));
            columns.push((name, of));
        }
        let distinct = match self.below(12) {
            0 => "DISTINCT ".to_owned(),
            1 => format!("DISTINCT ON ({}) ", self.pick(&from.columns).0),
            _ => String::new(),
        };
        let mut sql = format!("SELECT {distinct}{} FROM {}", items.join(", "), from.text);
        if self.one_in(2) {
            let condition = self.condition(&from.columns, depth);
            sql.push_str(&format!(" WHERE {condition}"));
        }
        if distinct.is_empty() {
            sql.push_str(&self.order_and_limit(&columns));
        }
        (sql, columns)
    }

    fn order_and_limit(&mut self, columns: &[(String, Type)]) -> String {
        let mut sql = String::new();
        if self.one_in(4) {
            sql.push_str(&format!(" ORDER BY {}", self.pick(columns).0));
            if self.one_in(2) {
                sql.push_str(" DESC");
            }
        }
        if self.one_in(6) {
            sql.push_str(&format!(" LIMIT {}", 1 + self.below(5)));
            if self.one_in(2) {
                sql.push_str(" OFFSET 1");
            }
        }
        sql
    }

    fn grouped(&mut self, from: &From, depth: usize) -> (String, Vec<(String, Type)>) {
        let keys: Vec<(String, Type)> =
            (0..self.below(3)).map(|_| self.pick(&from.columns)).collect();
        let mut items = Vec::new();
        let mut columns = Vec::new();
        for (key, of) in &keys {
            let name = self.name();
            items.push(format!("{key} AS {name}"));
            columns.push((name, *of));
        }
        for _ in 0..1 + self.below(2) {
            let (item, of) = self.aggregate(&from.columns, depth);
            let name = self.name();
            items.push(format!("{item} AS {name}"));
            columns.push((name, of));
        }
        let mut sql = format!("SELECT {} FROM {}", items.join(", "), from.text);
        if self.one_in(3) {
            let condition = self.condition(&from.columns, depth);
            sql.push_str(&format!(" WHERE {condition}"));
        }
        if !keys.is_empty() {
            let keys: Vec<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
            sql.push_str(&format!(" GROUP BY {}", keys.join(", ")));
        }
        if self.one_in(4) {
            sql.push_str(&format!(" HAVING {} > 1", self.aggregate_of_int(&from.columns)));
        }
        (sql, columns)
    }

    fn aggregate_of_int(&mut self, columns: &[(String, Type)]) -> String {
        let argument = self.expr(columns, Type::Int, 0);
        let function = self.pick(&["count", "sum", "min", "max", "count(DISTINCT"]);
        let close = if function.contains('(') { ")" } else { "" };
        let open = if close.is_empty() { "(" } else { " " };
        let filter = if self.one_in(5) {
            format!(" FILTER (WHERE {})", self.condition(columns, 0))
        } else {
            String::new()
        };
        format!("{function}{open}{argument}{}{filter}", if close.is_empty() { ")" } else { close })
    }

    fn aggregate(&mut self, columns: &[(String, Type)], depth: usize) -> (String, Type) {
        match self.below(6) {
            0 => ("count(*)".to_owned(), Type::Int),
            1 => {
                let text = self.expr(columns, Type::Text, depth);
                let order = self.pick(columns).0;
                (format!("string_agg({text}, ',' ORDER BY {order})"), Type::Text)
            }
            2 => {
                let function = self.pick(&["min", "max"]);
                (format!("{function}({})", self.expr(columns, Type::Text, depth)), Type::Text)
            }
            3 => {
                let value = self.expr(columns, Type::Int, depth);
                let order = self.pick(columns).0;
                (format!("first_value({value} ORDER BY {order})"), Type::Int)
            }
            _ => (self.aggregate_of_int(columns), Type::Int),
        }
    }

    fn window(&mut self, from: &From, of: Type, depth: usize) -> String {
        let partition = if self.one_in(2) {
            format!("PARTITION BY {} ", self.pick(&from.columns).0)
        } else {
            String::new()
        };
        let order = format!("ORDER BY {}", self.pick(&from.columns).0);
        let argument = self.expr(&from.columns, of, depth);
        let function = match of {
            Type::Text => self.pick(&["lag(@)", "first_value(@)", "max(@)"]),
            Type::Int => {
                self.pick(&["sum(@)", "count(@)", "row_number()", "rank()", "lead(@)", "ntile(3)"])
            }
        };
        let over = format!("{} OVER ({partition}{order})", function.replace('@', &argument));
        if of == Type::Int { format!("CAST({over} AS BIGINT)") } else { over }
    }

    fn table(&mut self) -> From {
        let (table, columns) = self.pick(TABLES);
        let name = self.name();
        let columns =
            columns.iter().map(|(column, of)| (format!("{name}.{column}"), *of)).collect();
        From { text: format!("crm.{table} AS {name}"), columns }
    }

    fn from(&mut self, depth: usize) -> From {
        if depth == 0 {
            return self.table();
        }
        match self.below(6) {
            0 => {
                let (sql, columns) = self.select(depth - 1);
                let name = self.name();
                let columns =
                    columns.into_iter().map(|(column, of)| (format!("{name}.{column}"), of));
                let columns = columns.collect();
                From { text: format!("({sql}) AS {name}"), columns }
            }
            1 | 2 => self.join(depth),
            3 => {
                let name = self.name();
                let text = format!("(VALUES (1, 't1'), (2, 't2'), (2, 't3')) AS {name}(n, t)");
                let columns =
                    vec![(format!("{name}.n"), Type::Int), (format!("{name}.t"), Type::Text)];
                From { text, columns }
            }
            _ => self.table(),
        }
    }

    fn join(&mut self, depth: usize) -> From {
        let left = self.from(depth - 1);
        let right = self.from(depth - 1);
        let kind = self.pick(&[
            "JOIN",
            "LEFT JOIN",
            "RIGHT JOIN",
            "FULL JOIN",
            "LEFT SEMI JOIN",
            "LEFT ANTI JOIN",
            "CROSS JOIN",
        ]);
        if kind == "CROSS JOIN" {
            let text = format!("{} CROSS JOIN {}", left.text, right.text);
            return From { text, columns: [left.columns, right.columns].concat() };
        }
        let of = self.pick(&[Type::Int, Type::Text]);
        let mut on =
            format!("{} = {}", self.column(&left.columns, of), self.column(&right.columns, of));
        let both = [left.columns.clone(), right.columns.clone()].concat();
        if self.one_in(4) {
            on.push_str(&format!(" AND {}", self.condition(&both, 0)));
        }
        let text = format!("{} {kind} {} ON {on}", left.text, right.text);
        let half = kind.contains("SEMI") || kind.contains("ANTI");
        From { text, columns: if half { left.columns } else { both } }
    }

    /// A column of this type, or a literal where there is none.
    fn column(&mut self, columns: &[(String, Type)], of: Type) -> String {
        let fitting: Vec<String> =
            columns.iter().filter(|(_, it)| *it == of).map(|(name, _)| name.clone()).collect();
        match (fitting.is_empty(), of) {
            (false, _) => self.pick(&fitting),
            (true, Type::Int) => self.below(4).to_string(),
            (true, Type::Text) => format!("'t{}'", self.below(4)),
        }
    }

    fn expr(&mut self, columns: &[(String, Type)], of: Type, depth: usize) -> String {
        if self.one_in(2) {
            return self.column(columns, of);
        }
        if depth > 0 && self.one_in(6) {
            return self.scalar_subquery(columns, of);
        }
        let depth = depth.saturating_sub(1);
        let (int, text) = (Type::Int, Type::Text);
        let a = self.expr(columns, of, depth);
        match (of, self.below(6)) {
            (_, 0) => {
                let condition = self.condition(columns, depth);
                format!("CASE WHEN {condition} THEN {a} ELSE {} END", self.column(columns, of))
            }
            (_, 1) => format!("coalesce({a}, {})", self.column(columns, of)),
            (_, 2) => format!("named_struct('f', {a}, 'g', {})['f']", self.column(columns, int)),
            (Type::Int, 3) => format!("({a} + {})", self.column(columns, int)),
            (Type::Int, 4) => format!("CAST(length({}) AS BIGINT)", self.column(columns, text)),
            (Type::Int, _) => format!("nullif({a}, 2)"),
            (Type::Text, 3) => format!("({a} || {})", self.column(columns, text)),
            (Type::Text, 4) => format!("CAST({} AS VARCHAR)", self.column(columns, int)),
            (Type::Text, _) => format!("make_array({a}, {})[1]", self.column(columns, text)),
        }
    }

    fn scalar_subquery(&mut self, columns: &[(String, Type)], of: Type) -> String {
        let table = self.table();
        let inner = self.column(&table.columns, of);
        let function = self.pick(&["max", "min"]);
        let key = self.pick(&[Type::Int, Type::Text]);
        let condition = if self.one_in(2) {
            let (inner, outer) = (self.column(&table.columns, key), self.column(columns, key));
            format!("{inner} = {outer}")
        } else {
            self.condition(&table.columns, 0)
        };
        format!("(SELECT {function}({inner}) FROM {} WHERE {condition})", table.text)
    }

    fn condition(&mut self, columns: &[(String, Type)], depth: usize) -> String {
        let (int, text) = (Type::Int, Type::Text);
        if depth > 0 && self.one_in(3) {
            return self.subquery_condition(columns);
        }
        match self.below(8) {
            0 => format!("{} IS NULL", self.pick(columns).0),
            1 => format!("{} LIKE '%1'", self.column(columns, text)),
            2 => format!("{} IN ('t1', 't2')", self.column(columns, text)),
            3 => format!("{} BETWEEN 1 AND 3", self.column(columns, int)),
            4 => format!("NOT ({} > 1)", self.column(columns, int)),
            5 => {
                let one = self.condition(columns, 0);
                format!("({one} OR {})", self.condition(columns, 0))
            }
            6 => format!("{} < {}", self.column(columns, int), self.column(columns, int)),
            _ => format!("{} = {}", self.column(columns, text), self.column(columns, text)),
        }
    }

    fn subquery_condition(&mut self, columns: &[(String, Type)]) -> String {
        let table = self.table();
        let of = self.pick(&[Type::Int, Type::Text]);
        let (inner, outer) = (self.column(&table.columns, of), self.column(columns, of));
        let within = self.condition(&table.columns, 0);
        let not = self.pick(&["", "NOT "]);
        match self.below(4) {
            0 => format!(
                "{not}EXISTS (SELECT 1 FROM {} WHERE {inner} = {outer} AND {within})",
                table.text
            ),
            1 => format!("{outer} {not}IN (SELECT {inner} FROM {} WHERE {within})", table.text),
            2 => format!(
                "({outer} IS NULL OR {not}EXISTS (SELECT 1 FROM {} WHERE {inner} = {outer}))",
                table.text
            ),
            _ => format!("{outer} = (SELECT max({inner}) FROM {} WHERE {within})", table.text),
        }
    }

    fn set_operation(&mut self, depth: usize) -> (String, Vec<(String, Type)>) {
        let side = |queries: &mut Self, names: &[String; 2]| {
            let from = queries.from(depth);
            let int = queries.expr(&from.columns, Type::Int, depth);
            let text = queries.expr(&from.columns, Type::Text, depth);
            let condition = queries.condition(&from.columns, depth);
            let [one, two] = names;
            format!("SELECT {int} AS {one}, {text} AS {two} FROM {} WHERE {condition}", from.text)
        };
        let names = [self.name(), self.name()];
        let operation = self.pick(&["UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
        let (left, right) = (side(self, &names), side(self, &names));
        let [one, two] = names;
        (format!("{left} {operation} {right}"), vec![(one, Type::Int), (two, Type::Text)])
    }

    fn with(&mut self) -> String {
        let (inner, columns) = self.select(1);
        let condition = self.condition(&columns, 0);
        let item = self.expr(&columns, Type::Text, 0);
        let (one, two) = (self.pick(&columns).0, self.pick(&columns).0);
        format!(
            "WITH c AS ({inner}) SELECT {item} AS i, {one} AS j, (SELECT count({two}) FROM c) AS n \
             FROM c WHERE {condition}"
        )
    }

    fn recursive(&mut self) -> String {
        let table = self.table();
        let begin = self.column(&table.columns, Type::Int);
        let carried = self.column(&table.columns, Type::Text);
        let condition = self.condition(&table.columns, 0);
        let step = self.table();
        let (key, text) =
            (self.column(&step.columns, Type::Int), self.column(&step.columns, Type::Text));
        let all = self.pick(&["ALL ", ""]);
        format!(
            "WITH RECURSIVE r AS (SELECT {begin} AS n, {carried} AS t, 0 AS depth FROM {} WHERE \
             {condition} UNION {all}SELECT r.n + 1, {text}, r.depth + 1 FROM r JOIN {} ON {key} = \
             r.n WHERE r.depth < 3) SELECT n, t, depth FROM r",
            table.text, step.text
        )
    }

    fn unnested(&mut self) -> String {
        let from = self.from(1);
        let (a, b) =
            (self.expr(&from.columns, Type::Int, 0), self.expr(&from.columns, Type::Int, 0));
        let (c, d) = (self.pick(&from.columns).0, self.expr(&from.columns, Type::Text, 0));
        let condition = self.condition(&from.columns, 0);
        let list =
            self.pick(&["make_array(@, #)", "array_remove(make_array(@, #), 2)", "range(0, @)"]);
        let list = list.replace('@', &a).replace('#', &b);
        format!(
            "SELECT unnest({list}) AS u, {c} AS c, {d} AS d FROM {} WHERE {condition}",
            from.text
        )
    }

    fn lateral(&mut self) -> String {
        let (left, right) = (self.table(), self.table());
        let of = self.pick(&[Type::Int, Type::Text]);
        let (inner, outer) = (self.column(&right.columns, of), self.column(&left.columns, of));
        let (a, b) = (self.pick(&left.columns).0, self.pick(&right.columns).0);
        let (c, d) = (self.pick(&left.columns).0, self.column(&right.columns, Type::Int));
        format!(
            "SELECT {a} AS a, l.b AS b, {c} AS c, l.s FROM {} CROSS JOIN LATERAL (SELECT max({b}) \
             AS b, sum({d}) AS s FROM {} WHERE {inner} = {outer}) AS l",
            left.text, right.text
        )
    }

    fn grouping_sets(&mut self) -> String {
        let from = self.from(1);
        let (a, b) = (self.pick(&from.columns).0, self.pick(&from.columns).0);
        let value = self.aggregate_of_int(&from.columns);
        let sets = match self.below(3) {
            0 => format!("ROLLUP ({a}, {b})"),
            1 => format!("CUBE ({a}, {b})"),
            _ => format!("GROUPING SETS (({a}), ({b}), ())"),
        };
        let condition = self.condition(&from.columns, 1);
        format!(
            "SELECT {a} AS a, {b} AS b, grouping({a}) AS g, {value} AS v FROM {} WHERE {condition} \
             GROUP BY {sets}",
            from.text
        )
    }
}
