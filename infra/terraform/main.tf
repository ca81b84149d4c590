# A pipeline of yours, made with Terraform, that uses the functions of a deployed Stagegate. `sam deploy` has made the stack;
# its outputs are all that is needed here.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.50"
    }
  }
}

variable "stagegate_stack" {
  description = "The name of the CloudFormation stack of Stagegate."
  type        = string
  default     = "stagegate"
}

variable "pipeline" {
  description = "The pipeline's name."
  type        = string
  default     = "web"
}

variable "pipeline_role_name" {
  description = "The service role of the pipeline."
  type        = string
}

variable "artifact_bucket" {
  description = "The bucket for the pipeline's artifacts."
  type        = string
}

variable "connection_arn" {
  description = "The CodeConnections connection to the repository."
  type        = string
}

data "aws_cloudformation_stack" "stagegate" {
  name = var.stagegate_stack
}

data "aws_iam_role" "pipeline" {
  name = var.pipeline_role_name
}

locals {
  stagegate = data.aws_cloudformation_stack.stagegate.outputs
  # The same for every gate: who asks, and about what.
  about = {
    pipeline  = var.pipeline
    execution = "#{codepipeline.PipelineExecutionId}"
  }
}

# The pipeline calls the gates and publishes that it waits for an approval; nothing more.
resource "aws_iam_role_policy" "stagegate" {
  name = "stagegate"
  role = data.aws_iam_role.pipeline.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "CallGates"
        Effect = "Allow"
        Action = "lambda:InvokeFunction"
        Resource = [
          data.aws_cloudformation_stack.stagegate.outputs["TestGateFunctionArn"],
          data.aws_cloudformation_stack.stagegate.outputs["SmokeTestFunctionArn"],
          data.aws_cloudformation_stack.stagegate.outputs["ReleaseGateFunctionArn"],
        ]
      },
      {
        Sid      = "TellOfApprovals"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = data.aws_cloudformation_stack.stagegate.outputs["ApprovalTopicArn"]
      },
    ]
  })
}

resource "aws_codepipeline" "web" {
  name          = var.pipeline
  role_arn      = data.aws_iam_role.pipeline.arn
  pipeline_type = "V2"

  artifact_store {
    type     = "S3"
    location = var.artifact_bucket
  }

  stage {
    name = "Source"
    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      namespace        = "Source"
      output_artifacts = ["SourceCode"]
      configuration = {
        ConnectionArn    = var.connection_arn
        FullRepositoryId = "example/web"
        BranchName       = "main"
      }
    }
  }

  stage {
    name = "Build"
    action {
      name             = "Build"
      category         = "Build"
      owner            = "AWS"
      provider         = "CodeBuild"
      version          = "1"
      namespace        = "Build"
      input_artifacts  = ["SourceCode"]
      output_artifacts = ["SiteBundle", "TestReports"]
      configuration    = { ProjectName = "web" }
    }
  }

  stage {
    name = "TestGate"
    action {
      name            = "TestGate"
      category        = "Invoke"
      owner           = "AWS"
      provider        = "Lambda"
      version         = "1"
      namespace       = "TestGate"
      input_artifacts = ["TestReports"]
      configuration = {
        FunctionName   = local.stagegate["TestGateFunctionName"]
        UserParameters = jsonencode(merge(local.about, { gate = "web-tests", stage = "TestGate" }))
      }
    }
  }

  stage {
    name = "Staging"
    action {
      name            = "Deploy"
      category        = "Deploy"
      owner           = "AWS"
      provider        = "CodeDeploy"
      version         = "1"
      input_artifacts = ["SiteBundle"]
      configuration   = { ApplicationName = "web", DeploymentGroupName = "Staging" }
    }
  }

  stage {
    name = "SmokeTest"
    action {
      name            = "SmokeTest"
      category        = "Invoke"
      owner           = "AWS"
      provider        = "Lambda"
      version         = "1"
      namespace       = "SmokeTest"
      input_artifacts = ["SourceCode"]
      configuration = {
        FunctionName = local.stagegate["SmokeTestFunctionName"]
        UserParameters = jsonencode(merge(local.about, {
          gate      = "web-smoke"
          stage     = "SmokeTest"
          variables = { base = "https://staging.example.com" }
        }))
      }
    }
  }

  stage {
    name = "Approve"
    action {
      name          = "Approve"
      category      = "Approval"
      owner         = "AWS"
      provider      = "Manual"
      version       = "1"
      configuration = { NotificationArn = local.stagegate["ApprovalTopicArn"] }
    }
  }

  stage {
    name = "ReleaseGate"
    action {
      name      = "ReleaseGate"
      category  = "Invoke"
      owner     = "AWS"
      provider  = "Lambda"
      version   = "1"
      namespace = "ReleaseGate"
      configuration = {
        FunctionName   = local.stagegate["ReleaseGateFunctionName"]
        UserParameters = jsonencode(merge(local.about, { gate = "web-release", stage = "ReleaseGate" }))
      }
    }
  }

  stage {
    name = "Production"
    action {
      name            = "Deploy"
      category        = "Deploy"
      owner           = "AWS"
      provider        = "CodeDeploy"
      version         = "1"
      input_artifacts = ["SiteBundle"]
      configuration   = { ApplicationName = "web", DeploymentGroupName = "Production" }
    }
  }
}
