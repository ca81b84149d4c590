//! The local AWS: one endpoint for CodePipeline and S3, wired from the template.
