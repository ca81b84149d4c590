//! Action providers of the local CodePipeline: source, CodeBuild, CodeDeploy, S3.
