import { aws_codepipeline as codepipeline, aws_codepipeline_actions as actions, aws_iam as iam, aws_lambda as lambda, aws_sns as sns, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** What a gate needs to know, besides its name in stagegate.yaml. */
export interface GateProps {
  /** The name of the gate in stagegate.yaml. */
  readonly gate: string;
  readonly pipeline: string;
  readonly stage: string;
  /** Where the gate looks for reports or Hurl files. */
  readonly inputs?: codepipeline.Artifact[];
  /** Variables of smoke tests. */
  readonly variables?: Record<string, string>;
}

/** The functions of a Stagegate that was deployed into this account and Region by SAM. */
export class Stagegate extends Construct {
  private readonly functions: Record<'test-gate' | 'smoke-test' | 'release-gate', lambda.IFunction>;
  /** For the `notificationTopic` of manual approvals; not needed for an approval to be noticed. */
  readonly approvalTopic: sns.ITopic;

  /** `namePrefix` is the parameter NamePrefix that Stagegate was deployed with. */
  constructor(scope: Construct, id: string, namePrefix = 'stagegate') {
    super(scope, id);
    const named = (name: string) => lambda.Function.fromFunctionName(this, name, `${namePrefix}-${name}`);
    this.functions = {
      'test-gate': named('test-gate'),
      'smoke-test': named('smoke-test'),
      'release-gate': named('release-gate'),
    };
    const arn = Stack.of(this).formatArn({ service: 'sns', resource: `${namePrefix}-approvals` });
    this.approvalTopic = sns.Topic.fromTopicArn(this, 'approvals', arn);
  }

  testGate(props: GateProps): codepipeline.IAction {
    return this.action('test-gate', 'TestGate', props);
  }

  smokeTest(props: GateProps): codepipeline.IAction {
    return this.action('smoke-test', 'SmokeTest', props);
  }

  releaseGate(props: GateProps): codepipeline.IAction {
    return this.action('release-gate', 'ReleaseGate', props);
  }

  private action(name: keyof typeof this.functions, actionName: string, props: GateProps): codepipeline.IAction {
    const { gate, pipeline, stage, inputs, variables } = props;
    return new Gate({
      actionName,
      variablesNamespace: actionName,
      lambda: this.functions[name],
      inputs,
      userParameters: { gate, pipeline, stage, execution: '#{codepipeline.PipelineExecutionId}', variables },
    });
  }
}

/**
 * A Lambda action that gives the action's role the right to call the gate and nothing more. The action of the CDK would also try to
 * change the role of the function, which belongs to the stack of Stagegate.
 */
class Gate extends actions.LambdaInvokeAction {
  protected bound(scope: Construct, stage: codepipeline.IStage, options: codepipeline.ActionBindOptions): codepipeline.ActionConfig {
    options.role.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.gate.functionArn] }),
    );
    return {
      configuration: {
        FunctionName: this.gate.functionName,
        UserParameters: Stack.of(scope).toJsonString(this.parameters),
      },
    };
  }

  private readonly gate: lambda.IFunction;
  private readonly parameters: unknown;

  constructor(props: actions.LambdaInvokeActionProps) {
    super(props);
    this.gate = props.lambda;
    this.parameters = props.userParameters;
  }
}
