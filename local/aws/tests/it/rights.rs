//! What a function may do here is what its role in the template allows.

use aws_config::SdkConfig;
use aws_sdk_codepipeline::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use stagegate_local_codepipeline::provider::ArtifactBucket;

use crate::world::World;

const RESOURCES: &str = r#"
  State: {Type: "AWS::S3::Bucket"}
  Told: {Type: "AWS::SNS::Topic"}
  Untold: {Type: "AWS::SNS::Topic"}
  Gate: {RECORDER {FunctionName: gate, Role: !GetAtt GateRole.Arn}}
  Lister: {RECORDER {FunctionName: lister, Role: !GetAtt ListerRole.Arn}}
  Free: {RECORDER {FunctionName: free, Role: !GetAtt FreeRole.Arn}}
  GateRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: gate-role
      Policies:
        - PolicyName: inline
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: [s3:GetObject, s3:PutObject], Resource: !Sub "${State.Arn}/executions/*"}
              - {Effect: Deny, Action: s3:PutObject, Resource: !Sub "${State.Arn}/executions/closed/*"}
              - {Effect: Allow, Action: sns:Publish, Resource: !Ref Told}
              - {Effect: Allow, Action: "codepipeline:Get*", Resource: !Sub "arn:aws:codepipeline:*:*:web"}
  ListerRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - {Effect: Allow, Action: s3:GetObject, Resource: !Sub "${State.Arn}/*"}
              - {Effect: Allow, Action: s3:ListBucket, Resource: !GetAtt State.Arn}
  FreeRole:
    Type: AWS::IAM::Role
    Properties: {ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"]}
"#;

/// A client with the credentials of a function.
fn as_function(world: &World, name: &str) -> SdkConfig {
    let own = world.aws.lambda().function(name).unwrap().credentials;
    let credentials = Credentials::new(own.access_key_id, own.secret_access_key, Some(own.session_token), None, "test");
    world.sdk().into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

fn code<T, E: ProvideErrorMetadata, R>(result: &Result<T, aws_sdk_s3::error::SdkError<E, R>>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

#[tokio::test]
async fn a_function_does_to_s3_what_its_role_allows() {
    let world = World::new(RESOURCES, |_| {}).await;
    let bucket = world.aws.bucket("State").unwrap().to_owned();
    world.aws.s3().put(&bucket, "executions/there", b"1".to_vec()).await.unwrap();
    for (function, method, key, expected) in [
        ("gate", "get", "executions/there", "ok"),
        ("gate", "put", "executions/new", "ok"),
        ("gate", "put", "executions/closed/new", "AccessDenied"),
        ("gate", "get", "approvals/there", "AccessDenied"),
        ("gate", "delete", "executions/there", "AccessDenied"),
        // Without the right to list, S3 does not tell what is not there.
        ("gate", "get", "executions/missing", "AccessDenied"),
        ("lister", "get", "executions/missing", "NoSuchKey"),
        ("lister", "put", "executions/new", "AccessDenied"),
        // Of a policy of AWS nothing is known here, so nothing is refused.
        ("free", "put", "anything", "ok"),
    ] {
        let s3 = aws_sdk_s3::Client::new(&as_function(&world, function));
        let seen = match method {
            "get" => code(&s3.get_object().bucket(&bucket).key(key).send().await),
            "put" => code(&s3.put_object().bucket(&bucket).key(key).body(b"1".to_vec().into()).send().await),
            _ => code(&s3.delete_object().bucket(&bucket).key(key).send().await),
        };
        assert_eq!(seen, expected, "{function} {method} {key}");
    }
    let used = world.aws.rights_used();
    let used: Vec<String> = used.iter().map(|(function, action)| format!("{function} {action}")).collect();
    assert_eq!(used, ["Gate s3:GetObject", "Gate s3:PutObject", "Lister s3:GetObject", "Lister s3:ListBucket"]);
}

#[tokio::test]
async fn other_services_refuse_in_their_own_way() {
    let world = World::new(RESOURCES, |_| {}).await;
    let config = as_function(&world, "gate");
    let sns = aws_sdk_sns::Client::new(&config);
    for (topic, expected) in [("Told", "ok"), ("Untold", "AuthorizationError")] {
        let arn = format!("arn:aws:sns:{}:111122223333:stagegate-{topic}", world.aws.region());
        assert_eq!(code(&sns.publish().topic_arn(arn).message("hello").send().await), expected, "{topic}");
    }
    let codepipeline = aws_sdk_codepipeline::Client::new(&config);
    for (pipeline, expected) in [("web", "PipelineNotFoundException"), ("shop", "AccessDeniedException")] {
        assert_eq!(code(&codepipeline.get_pipeline().name(pipeline).send().await), expected, "{pipeline}");
    }
    let refused = codepipeline.list_pipelines().send().await.unwrap_err();
    assert_eq!(
        refused.message(),
        Some(
            "User: arn:aws:sts::111122223333:assumed-role/gate-role/gate is not authorized to perform: \
             codepipeline:ListPipelines on resource: * because no identity-based policy allows the \
             codepipeline:ListPipelines action"
        )
    );
}

#[tokio::test]
async fn a_role_must_let_lambda_reach_the_destination() {
    let resources = r#"
  Lost: {Type: "AWS::SQS::Queue"}
  Gate:
    {RECORDER {Role: !GetAtt GateRole.Arn, EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Lost.Arn}}}}}
  GateRole:
    Type: AWS::IAM::Role
    Properties: {Policies: [{PolicyDocument: {Statement: [{Effect: Allow, Action: ACTION, Resource: !GetAtt Lost.Arn}]}}]}
"#;
    let error = World::error(&resources.replace("ACTION", "sqs:ReceiveMessage")).await;
    let expected = "create the function Gate: its role GateRole must allow sqs:SendMessage on its destination arn:aws:sqs:us-east-1:111122223333:stagegate-Lost";
    assert_eq!(error, expected);
    World::new(&resources.replace("ACTION", "sqs:SendMessage"), |_| {}).await;
}
