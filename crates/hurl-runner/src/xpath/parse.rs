//! The grammar of XPath 1.0.

use super::expression::{Axis, Comparison, Expression, Operator, Path, Start, Step, Test};
use super::function::Function;
use super::lexer::{self, Token};

/// The deepest nesting of an expression.
const DEPTH_MAX: usize = 64;

/// The most tokens of an expression. A chain of operators nests as deeply as it is long.
const TOKENS_MAX: usize = 1000;

type Parsed<T> = Result<T, String>;

pub(super) fn expression(text: &str) -> Parsed<Expression> {
    let tokens = lexer::tokens(text)?;
    if tokens.len() > TOKENS_MAX {
        return Err(format!("the expression has more than {TOKENS_MAX} tokens"));
    }
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let expression = parser.or()?;
    if parser.at == parser.tokens.len() {
        Ok(expression)
    } else {
        Err("unexpected text after the expression".to_owned())
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn peek_symbol(&self, offset: usize, symbol: &str) -> bool {
        matches!(self.tokens.get(self.at + offset), Some(Token::Symbol(found)) if *found == symbol)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let is_next = self.peek_symbol(0, symbol);
        if is_next {
            self.at += 1;
        }
        is_next
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.take(symbol) { Ok(()) } else { Err(format!("expected {symbol}")) }
    }

    fn one_of<T: Copy>(&mut self, symbols: &[(&str, T)]) -> Option<T> {
        symbols.iter().find(|(symbol, _)| self.take(symbol)).map(|(_, meaning)| *meaning)
    }

    fn or(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("the expression nests too deeply".to_owned());
        }
        let mut left = self.and()?;
        while self.take("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut left = self.equality()?;
        while self.take("and") {
            left = Expression::And(Box::new(left), Box::new(self.equality()?));
        }
        Ok(left)
    }

    fn equality(&mut self) -> Parsed<Expression> {
        let mut left = self.relation()?;
        while let Some(comparison) = self.one_of(&[("=", Comparison::Equal), ("!=", Comparison::NotEqual)]) {
            left = Expression::Compare(comparison, Box::new(left), Box::new(self.relation()?));
        }
        Ok(left)
    }

    fn relation(&mut self) -> Parsed<Expression> {
        const RELATIONS: [(&str, Comparison); 4] = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let mut left = self.sum()?;
        while let Some(comparison) = self.one_of(&RELATIONS) {
            left = Expression::Compare(comparison, Box::new(left), Box::new(self.sum()?));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let mut left = self.product()?;
        while let Some(operator) = self.one_of(&[("+", Operator::Add), ("-", Operator::Subtract)]) {
            left = Expression::Arithmetic(operator, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed<Expression> {
        const OPERATORS: [(&str, Operator); 3] =
            [("*", Operator::Multiply), ("div", Operator::Divide), ("mod", Operator::Remainder)];
        let mut left = self.unary()?;
        while let Some(operator) = self.one_of(&OPERATORS) {
            left = Expression::Arithmetic(operator, Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        let mut signs = 0_usize;
        while self.take("-") {
            signs += 1;
        }
        let operand = self.union()?;
        Ok(match signs {
            0 => operand,
            // Two signs cancel out, but still make a number of the operand.
            _ if signs.is_multiple_of(2) => Expression::Negate(Box::new(Expression::Negate(Box::new(operand)))),
            _ => Expression::Negate(Box::new(operand)),
        })
    }

    fn union(&mut self) -> Parsed<Expression> {
        let mut left = self.path()?;
        while self.take("|") {
            left = Expression::Union(Box::new(left), Box::new(self.path()?));
        }
        Ok(left)
    }

    fn path(&mut self) -> Parsed<Expression> {
        if self.take("//") {
            let mut steps = vec![any_descendant()];
            self.steps(&mut steps)?;
            return Ok(Expression::Path(Path { start: Start::Root, steps }));
        }
        if self.take("/") {
            let mut steps = Vec::new();
            if self.begins_step() {
                self.steps(&mut steps)?;
            }
            return Ok(Expression::Path(Path { start: Start::Root, steps }));
        }
        let Some(primary) = self.primary()? else {
            let mut steps = Vec::new();
            self.steps(&mut steps)?;
            return Ok(Expression::Path(Path { start: Start::Context, steps }));
        };
        let predicates = self.predicates()?;
        let mut steps = Vec::new();
        if self.take("//") {
            steps.push(any_descendant());
            self.steps(&mut steps)?;
        } else if self.take("/") {
            self.steps(&mut steps)?;
        } else if predicates.is_empty() {
            return Ok(primary);
        }
        Ok(Expression::Path(Path { start: Start::Filter(Box::new(primary), predicates), steps }))
    }

    fn begins_step(&self) -> bool {
        match self.peek() {
            Some(Token::Name { .. }) => true,
            Some(Token::Symbol(symbol)) => matches!(*symbol, "." | ".." | "@"),
            _ => false,
        }
    }

    /// A primary expression; `None` where a location path begins.
    fn primary(&mut self) -> Parsed<Option<Expression>> {
        let next = self.peek().cloned();
        let expression = match next {
            Some(Token::Literal(text)) => Expression::Literal(text),
            Some(Token::Number(value)) => Expression::Number(value),
            Some(Token::Symbol("(")) => {
                self.at += 1;
                let inner = self.or()?;
                self.expect(")")?;
                return Ok(Some(inner));
            }
            Some(Token::Symbol("$")) => return Err("variables of XPath are not supported".to_owned()),
            Some(Token::Name { prefix, local }) if self.peek_symbol(1, "(") && !is_node_type(&local) => {
                let name = prefix.map_or_else(|| local.clone(), |prefix| format!("{prefix}:{local}"));
                return self.call(&name).map(Some);
            }
            Some(Token::Symbol("." | ".." | "@") | Token::Name { .. }) => return Ok(None),
            _ => return Err("expected an expression".to_owned()),
        };
        self.at += 1;
        Ok(Some(expression))
    }

    fn call(&mut self, name: &str) -> Parsed<Expression> {
        let function = Function::from_name(name).ok_or_else(|| format!("the function {name}() is not supported"))?;
        self.at += 2;
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.or()?);
                if !self.take(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        if function.accepts(arguments.len()) {
            Ok(Expression::Call(function, arguments))
        } else {
            Err(format!("{name}() takes another number of arguments"))
        }
    }

    fn steps(&mut self, steps: &mut Vec<Step>) -> Parsed<()> {
        loop {
            steps.push(self.step()?);
            if self.take("//") {
                steps.push(any_descendant());
            } else if !self.take("/") {
                return Ok(());
            }
        }
    }

    fn step(&mut self) -> Parsed<Step> {
        if self.take(".") {
            return Ok(Step { axis: Axis::SelfNode, test: Test::Any, predicates: Vec::new() });
        }
        if self.take("..") {
            return Ok(Step { axis: Axis::Parent, test: Test::Any, predicates: Vec::new() });
        }
        let axis = self.axis()?;
        let test = self.test()?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    fn axis(&mut self) -> Parsed<Axis> {
        if self.take("@") {
            return Ok(Axis::Attribute);
        }
        match self.peek() {
            Some(Token::Name { prefix: None, local }) if self.peek_symbol(1, "::") => {
                let axis = Axis::from_name(local).ok_or_else(|| format!("the axis {local} is not supported"))?;
                self.at += 2;
                Ok(axis)
            }
            _ => Ok(Axis::Child),
        }
    }

    fn test(&mut self) -> Parsed<Test> {
        let Some(Token::Name { prefix, local }) = self.peek().cloned() else {
            return Err("expected a name or a node test".to_owned());
        };
        self.at += 1;
        if prefix.is_none() && is_node_type(&local) && self.take("(") {
            let mut target = None;
            if local == "processing-instruction"
                && let Some(Token::Literal(text)) = self.peek().cloned()
            {
                self.at += 1;
                target = Some(text);
            }
            self.expect(")")?;
            return Ok(match local.as_str() {
                "node" => Test::Any,
                "text" => Test::Text,
                "comment" => Test::Comment,
                _ => Test::ProcessingInstruction(target),
            });
        }
        Ok(Test::Name { prefix, local: Some(local).filter(|local| local != "*") })
    }

    fn predicates(&mut self) -> Parsed<Vec<Expression>> {
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.or()?);
            self.expect("]")?;
        }
        Ok(predicates)
    }
}

fn any_descendant() -> Step {
    Step { axis: Axis::DescendantOrSelf, test: Test::Any, predicates: Vec::new() }
}

fn is_node_type(name: &str) -> bool {
    matches!(name, "node" | "text" | "comment" | "processing-instruction")
}
