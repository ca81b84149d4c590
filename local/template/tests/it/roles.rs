//! Roles with what they may do, and the rules that parameters keep.

use stagegate_local_template::{Settings, Statement, parse_template};

use crate::read;

const ROLES: &str = r#"
Parameters:
  Key: {Type: String, Default: ""}
Conditions:
  HasKey: !Not [!Equals [!Ref Key, ""]]
Resources:
  State: {Type: "AWS::S3::Bucket"}
  Gate:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [!Ref Shared, !If [HasKey, !Ref WithKey, !Ref AWS::NoValue]]
      Policies:
        - PolicyName: inline
          PolicyDocument:
            Statement:
              Sid: Read
              Effect: Allow
              Action: s3:GetObject
              Resource: [!Sub "${State.Arn}/a/*", !Sub "${State.Arn}/b/*"]
  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: [sns:Publish], Resource: "*", Condition: {Bool: {aws:SecureTransport: "true"}}}
  WithKey:
    Type: AWS::IAM::ManagedPolicy
    Condition: HasKey
    Properties:
      PolicyDocument: {Statement: [{Effect: Deny, Action: kms:Decrypt, Resource: !Ref Key}]}
  Attached:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: attached
      Roles: [!Ref Other]
      PolicyDocument: {Statement: [{Effect: Allow, Action: ssm:GetParameter, Resource: "*"}]}
  Other:
    Type: AWS::IAM::Role
    Properties: {ManagedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
  Unknown:
    Type: AWS::IAM::Role
    Properties: {RoleName: !ImportValue name, ManagedPolicyArns: [!ImportValue x]}
  Inverse:
    Type: AWS::IAM::Role
    Properties:
      Policies: [{PolicyDocument: {Statement: [{Sid: All, Effect: Allow, NotAction: "iam:*", Resource: "*"}]}}]
"#;

fn said(statement: &Statement) -> String {
    let Statement { allows, actions, resources, has_condition, declared_in, .. } = statement;
    format!("{declared_in}: {allows} {} on {} {has_condition}", actions.join("+"), resources.join("+"))
}

#[test]
fn roles_have_the_policies_that_are_attached_to_them() {
    let text = ROLES.replace("RoleName: !ImportValue name, ", "");
    for (key, expected) in [("", vec![]), ("arn:key", vec!["WithKey: false kms:Decrypt on arn:key false"])] {
        let parameters = [("Key".to_owned(), key.to_owned())].into();
        let settings = Settings { parameters, ..Settings::default() };
        let template = parse_template(&text, "t.yaml", &settings).unwrap();
        let gate = template.roles.iter().find(|role| role.logical_id == "Gate").unwrap();
        let seen: Vec<String> = gate.statements.iter().map(said).collect();
        let own = [
            "Gate: true s3:GetObject on arn:aws:s3:::stagegate-state/a/*+arn:aws:s3:::stagegate-state/b/* false",
            "Shared: true sns:Publish on * true",
        ];
        assert_eq!(seen, own.into_iter().chain(expected).collect::<Vec<_>>(), "{key}");
        assert_eq!((gate.arn.as_str(), gate.unread.len()), ("arn:aws:iam::111122223333:role/stagegate-Gate", 0));
    }
}

#[test]
fn what_is_not_known_of_a_role_is_said() {
    let template = read(&ROLES.replace("RoleName: !ImportValue name, ", ""));
    for (id, unread) in [
        ("Gate", ""),
        ("Other", "the policy arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("Unknown", "Unknown: no other stack exports `x`"),
        ("Inverse", "the statement All of Inverse, which has no Action or no Resource"),
    ] {
        let role = template.roles.iter().find(|role| role.logical_id == id).unwrap();
        assert_eq!(role.unread.join("; "), unread, "{id}");
    }
    let other = template.roles.iter().find(|role| role.logical_id == "Other").unwrap();
    assert_eq!(other.statements[0].actions, ["ssm:GetParameter"]);
}

#[test]
fn parameters_keep_the_rules() {
    const RULES: &str = "
Parameters: {A: {Type: String, Default: \"\"}, B: {Type: String, Default: \"\"}}
Rules:
  Both:
    RuleCondition: !Not [!Equals [!Ref A, \"\"]]
    Assertions: [{Assert: !Not [!Equals [!Ref B, \"\"]], AssertDescription: A needs B.}]
Resources: {Topic: {Type: \"AWS::SNS::Topic\"}}
";
    for (a, b, expected) in [
        ("", "", ""),
        ("x", "y", ""),
        ("", "y", ""),
        ("x", "", "read t.yaml: the rule `Both` is broken by the parameters: A needs B"),
    ] {
        let parameters = [("A", a), ("B", b)].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let result = parse_template(RULES, "t.yaml", &Settings { parameters, ..Settings::default() });
        assert_eq!(result.err().map(|error| error.to_string()).unwrap_or_default(), expected, "{a} {b}");
    }
}
