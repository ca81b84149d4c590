//! The lifecycle of an AWS CodePipeline job: lenient event, one final answer, deadline, continuation, output variables.
