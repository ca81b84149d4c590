import { App, Stack, aws_codebuild as codebuild, aws_codepipeline as codepipeline, aws_codepipeline_actions as actions, aws_s3 as s3 } from 'aws-cdk-lib';
import { Stagegate } from './stagegate';

const app = new App({ outdir: 'cdk.out' });
const stack = new Stack(app, 'WebPipeline', { env: { account: '111122223333', region: 'eu-west-1' } });
const stagegate = new Stagegate(stack, 'Stagegate');

const code = new codepipeline.Artifact('SourceCode');
const site = new codepipeline.Artifact('SiteBundle');
const reports = new codepipeline.Artifact('TestReports');
const source = s3.Bucket.fromBucketName(stack, 'Source', 'web-source');
const target = s3.Bucket.fromBucketName(stack, 'Site', 'web-site');
const pipeline = 'web';

new codepipeline.Pipeline(stack, 'Pipeline', {
  pipelineName: pipeline,
  pipelineType: codepipeline.PipelineType.V2,
  stages: [
    {
      stageName: 'Source',
      actions: [new actions.S3SourceAction({ actionName: 'Source', bucket: source, bucketKey: 'web.zip', output: code, trigger: actions.S3Trigger.NONE })],
    },
    {
      stageName: 'Build',
      actions: [
        new actions.CodeBuildAction({
          actionName: 'Build',
          project: new codebuild.PipelineProject(stack, 'Build'),
          input: code,
          outputs: [site, reports],
        }),
      ],
    },
    {
      stageName: 'TestGate',
      actions: [stagegate.testGate({ gate: 'web-tests', pipeline, stage: 'TestGate', inputs: [reports] })],
    },
    {
      stageName: 'Staging',
      actions: [new actions.S3DeployAction({ actionName: 'Deploy', bucket: target, input: site })],
    },
    {
      stageName: 'SmokeTest',
      actions: [
        stagegate.smokeTest({
          gate: 'web-smoke',
          pipeline,
          stage: 'SmokeTest',
          inputs: [code],
          variables: { base: 'https://staging.example.com' },
        }),
      ],
    },
    {
      stageName: 'Approve',
      actions: [new actions.ManualApprovalAction({ actionName: 'Approve', notificationTopic: stagegate.approvalTopic })],
    },
    {
      stageName: 'ReleaseGate',
      actions: [stagegate.releaseGate({ gate: 'web-release', pipeline, stage: 'ReleaseGate' })],
    },
  ],
});

app.synth();
