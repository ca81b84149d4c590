//! Reads chosen files out of a CodePipeline artifact ZIP in S3 by ranged requests, and writes output artifacts.
