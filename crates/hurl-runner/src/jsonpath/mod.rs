//! JSONPath as RFC 9535 defines it.

mod evaluate;
mod function;
mod parse;

use crate::value::Value;

pub(crate) use evaluate::TooManySteps;

/// An expression that is ready to be evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    segments: Vec<Segment>,
}

/// What is wrong with an expression, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at character {at}")]
pub(crate) struct ParseError {
    pub(crate) at: usize,
    pub(crate) reason: &'static str,
}

impl Path {
    pub(crate) fn parse(text: &str) -> Result<Self, ParseError> {
        parse::path(text)
    }

    /// The values that the expression selects, in document order; members of an object are in the order of their names.
    pub(crate) fn select<'v>(&self, root: &'v Value) -> Result<Vec<&'v Value>, TooManySteps> {
        evaluate::select(&self.segments, root)
    }
}

#[derive(Clone, Debug)]
enum Segment {
    Child(Vec<Selector>),
    Descendant(Vec<Selector>),
}

#[derive(Clone, Debug)]
enum Selector {
    Name(String),
    Wildcard,
    Index(i64),
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Condition),
}

#[derive(Clone, Debug)]
enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    Exists(Query),
    Compare { left: Operand, relation: Relation, right: Operand },
    Call(Call),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A path from the document (`$`) or from the current value (`@`).
#[derive(Clone, Debug)]
struct Query {
    is_absolute: bool,
    segments: Vec<Segment>,
}

impl Query {
    /// Whether the query yields at most one value, by its form.
    fn is_singular(&self) -> bool {
        self.segments.iter().all(|segment| {
            matches!(segment, Segment::Child(selectors)
                if matches!(selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)]))
        })
    }
}

/// Something that yields a value or nothing.
#[derive(Clone, Debug)]
enum Operand {
    Literal(Value),
    Query(Query),
    Call(Call),
}

#[derive(Clone, Debug)]
struct Call {
    function: function::Function,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug)]
enum Argument {
    Value(Operand),
    Nodes(Query),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::json;

    const STORE: &str = r#"{"store":{"book":[
        {"category":"reference","author":"Nigel Rees","title":"Sayings of the Century","price":8.95},
        {"category":"fiction","author":"Evelyn Waugh","title":"Sword of Honour","price":12.99},
        {"category":"fiction","author":"Herman Melville","title":"Moby Dick","isbn":"0-553-21311-3","price":8.99},
        {"category":"fiction","author":"J. R. R. Tolkien","title":"The Lord of the Rings","isbn":"0-395-19395-8","price":22.99}
        ],"bicycle":{"color":"red","price":399}},"n":[1,2,3,4,5],"e":"","k y":{"'":1},"o":{"a":null,"b":[]}}"#;

    fn select(path: &str) -> Option<String> {
        let document = json::parse(STORE).unwrap();
        let path = Path::parse(path).ok()?;
        let values = path.select(&document).unwrap().into_iter().cloned().collect();
        Some(Value::List(values).to_string())
    }

    #[test]
    fn selects_as_the_standard_says() {
        for (path, expected) in [
            ("$.n", "[[1,2,3,4,5]]"),
            ("$['n'][0]", "[1]"),
            ("$.n[-1]", "[5]"),
            ("$.n[9]", "[]"),
            ("$.n[1:3]", "[2,3]"),
            ("$.n[:2]", "[1,2]"),
            ("$.n[-2:]", "[4,5]"),
            ("$.n[::2]", "[1,3,5]"),
            ("$.n[::-2]", "[5,3,1]"),
            ("$.n[3:0:-1]", "[4,3,2]"),
            ("$.n[::0]", "[]"),
            ("$.n[0, 2 ,0]", "[1,3,1]"),
            ("$ . n [ 0 ]", "[1]"),
            ("$.store.book[*].author", "[Nigel Rees,Evelyn Waugh,Herman Melville,J. R. R. Tolkien]"),
            ("$..author", "[Nigel Rees,Evelyn Waugh,Herman Melville,J. R. R. Tolkien]"),
            ("$.store..price", "[399,8.95,12.99,8.99,22.99]"),
            ("$..book[2].title", "[Moby Dick]"),
            ("$..book[?@.isbn].price", "[8.99,22.99]"),
            ("$..book[?(@.price<10)].title", "[Sayings of the Century,Moby Dick]"),
            ("$..book[?@.price<10 && @.category=='fiction'].title", "[Moby Dick]"),
            ("$..book[?@.price>20 || !@.isbn && @.price<9].price", "[8.95,22.99]"),
            ("$..book[?!(@.price<10)].price", "[12.99,22.99]"),
            ("$.n[?@>=4]", "[4,5]"),
            ("$.n[?@==$.n[1]]", "[2]"),
            ("$.n[?@!=3 && 1<@]", "[2,4,5]"),
            ("$.o[?@==null]", "[null]"),
            ("$.o[?@.missing==@.other]", "[null,[]]"),
            ("$[?length(@)==5]", "[[1,2,3,4,5]]"),
            ("$..book[?match(@.author, '.*Rees')].price", "[8.95]"),
            ("$..book[?search(@.title, 'of.the')].price", "[8.95,22.99]"),
            ("$..book[?match(@.title, 'Moby')].price", "[]"),
            ("$.store[?count(@.*)==2].color", "[red]"),
            ("$..book[?value(@..isbn)=='0-553-21311-3'].title", "[Moby Dick]"),
            ("$[\"k y\"]['\\'']", "[1]"),
            ("$.*['color','price']", "[]"),
            ("$.store.bicycle['color','price']", "[red,399]"),
            ("$.e", "[]"),
            ("$.n[?(2 > 0)]", "[1,2,3,4,5]"),
            ("$.n[?@==1e0 || @==-0]", "[1]"),
            ("$..book[?length(value(@.title))>20].price", "[8.95,22.99]"),
            ("$..book[?match(@.title, '^Moby.*$')].price", "[8.99]"),
            ("$['\\u0065', '\\uD83D\\uDD25']", "[]"),
            ("$", "[Object()]"),
        ] {
            assert_eq!(select(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn refuses_what_is_not_well_formed_or_well_typed() {
        for path in [
            "",
            "n",
            "$.",
            "$..",
            "$n",
            "$.n[",
            "$.n[]",
            "$.n[1",
            "$.n[01]",
            "$.n[-0]",
            "$.n['a]",
            "$.n[1:2:3:4]",
            "$.1a",
            "$ ",
            " $",
            "$[?]",
            "$[?@.a==]",
            "$[?1]",
            "$[?'a']",
            "$[?@.*==1]",
            "$[?@..a==1]",
            "$[?length(@)]",
            "$[?match(@.a)]",
            "$[?match(@.a,'b')==true]",
            "$[?count(1)>0]",
            "$[?nope(@)]",
            "$[?length(@.*)>1]",
            "$[?@.a='b']",
            "$[?(@.a]",
            "$['\\q']",
            "$[9007199254740992]",
            "$[?@.a===1]",
            "$[?@.a==1 &&]",
        ] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
        assert!(Path::parse(&format!("$[?{}@.a{}]", "(".repeat(500), ")".repeat(500))).is_err());
    }

    #[test]
    fn gives_up_on_an_expression_that_multiplies_its_work() {
        let document = json::parse(&format!("[{}1]", "1,".repeat(3000))).unwrap();
        let path = Path::parse("$[?count($[?count($[?@==1])>0])>0]").unwrap();
        assert_eq!(path.select(&document).map(|values| values.len()), Err(TooManySteps));
    }
}
