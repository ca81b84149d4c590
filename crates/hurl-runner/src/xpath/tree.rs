//! The tree that expressions walk.

/// The index of a node. Nodes are made in document order, so the order of the indices is the order of the nodes; the
/// attributes of an element come right after it.
pub(super) type NodeId = usize;

/// The document node.
pub(super) const ROOT: NodeId = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Element,
    Attribute,
    Text,
    Comment,
    ProcessingInstruction,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) parent: Option<NodeId>,
    /// The name as it is written; the target of a processing instruction; empty for text.
    pub(super) name: String,
    /// The namespace of an element or attribute.
    pub(super) namespace: Option<String>,
    /// The value of an attribute, text, comment or processing instruction.
    pub(super) value: String,
    pub(super) children: Vec<NodeId>,
    pub(super) attributes: Vec<NodeId>,
}

impl Node {
    pub(super) fn local_name(&self) -> &str {
        match self.kind {
            Kind::Element | Kind::Attribute => self.name.rsplit_once(':').map_or(&self.name, |(_, local)| local),
            _ => &self.name,
        }
    }
}

/// A document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(super) nodes: Vec<Node>,
    /// The prefixes that an expression may use, and their namespaces. As in Hurl, `_` stands for the first default
    /// namespace.
    pub(super) prefixes: Vec<(String, String)>,
    pub(super) is_html: bool,
}

impl Document {
    pub(super) fn new(is_html: bool) -> Self {
        let prefixes = vec![("xml".to_owned(), super::xml::XML_NAMESPACE.to_owned())];
        let mut document = Self { nodes: Vec::new(), prefixes, is_html };
        document.add(Kind::Root, None, "", None, "");
        document
    }

    fn add(
        &mut self,
        kind: Kind,
        parent: Option<NodeId>,
        name: &str,
        namespace: Option<String>,
        value: &str,
    ) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(Node {
            kind,
            parent,
            name: name.to_owned(),
            namespace,
            value: value.to_owned(),
            children: Vec::new(),
            attributes: Vec::new(),
        });
        id
    }

    pub(super) fn append(
        &mut self,
        parent: NodeId,
        kind: Kind,
        name: &str,
        namespace: Option<String>,
        value: &str,
    ) -> NodeId {
        let id = self.add(kind, Some(parent), name, namespace, value);
        self.nodes[parent].children.push(id);
        id
    }

    pub(super) fn append_attribute(
        &mut self,
        element: NodeId,
        name: &str,
        namespace: Option<String>,
        value: &str,
    ) -> NodeId {
        let id = self.add(Kind::Attribute, Some(element), name, namespace, value);
        self.nodes[element].attributes.push(id);
        id
    }

    /// Adds text; it joins the text that it follows.
    pub(super) fn append_text(&mut self, parent: NodeId, text: &str) {
        if let Some(&last) = self.nodes[parent].children.last()
            && self.nodes[last].kind == Kind::Text
        {
            self.nodes[last].value.push_str(text);
        } else if !text.is_empty() {
            self.append(parent, Kind::Text, "", None, text);
        }
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub(super) fn has_element(&self) -> bool {
        self.nodes.iter().any(|node| node.kind == Kind::Element)
    }

    /// The nodes below `id` in document order, attributes not among them.
    pub(super) fn descendants(&self, id: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut open: Vec<NodeId> = self.nodes[id].children.iter().rev().copied().collect();
        while let Some(next) = open.pop() {
            found.push(next);
            open.extend(self.nodes[next].children.iter().rev());
        }
        found
    }

    /// The string-value of a node (XPath 1.0, section 5).
    pub(super) fn string_value(&self, id: NodeId) -> String {
        match self.nodes[id].kind {
            Kind::Root | Kind::Element => {
                let descendants = self.descendants(id);
                let texts = descendants.iter().map(|&id| &self.nodes[id]).filter(|node| node.kind == Kind::Text);
                texts.map(|node| node.value.as_str()).collect()
            }
            _ => self.nodes[id].value.clone(),
        }
    }
}
