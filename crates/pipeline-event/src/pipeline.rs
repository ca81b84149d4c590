//! Events of CodePipeline (AWS CodePipeline guide, "Monitoring CodePipeline events").

use crate::lenient::{Number, members};

members! {
    /// A pipeline execution is in another state: STARTED, SUCCEEDED, FAILED, RESUMED, CANCELED, STOPPING, STOPPED or
    /// SUPERSEDED.
    ExecutionChange {
        /// The pipeline's name.
        pipeline = "pipeline": String,
        /// The execution's id.
        execution_id = "execution-id": String,
        /// When the execution began.
        start_time = "start-time": String,
        /// What started it.
        execution_trigger = "execution-trigger": Trigger,
        /// Why somebody stopped it.
        stop_execution_comments = "stop-execution-comments": String,
        /// The new state.
        state = "state": String,
        /// The version of the pipeline's definition.
        version = "version": Number,
        /// How often the execution was tried.
        attempt = "pipeline-execution-attempt": Number,
    }
}

members! {
    /// What started an execution; with a trigger of Git, the change that did.
    Trigger {
        /// What kind of trigger it was.
        trigger_type = "trigger-type": String,
        /// Who or what it was.
        trigger_detail = "trigger-detail": String,
        /// The author's name.
        author_name = "author-display-name": String,
        /// The author's e-mail address.
        author_email = "author-email": String,
        /// The commit.
        commit_id = "commit-id": String,
        /// The commit's message.
        commit_message = "commit-message": String,
        /// The branch.
        branch_name = "branch-name": String,
        /// The tag.
        tag_name = "tag-name": String,
        /// The repository.
        repository = "full-repository-name": String,
    }
}

members! {
    /// A stage is in another state: STARTED, SUCCEEDED, FAILED, RESUMED, CANCELED, STOPPING or STOPPED.
    StageChange {
        /// The pipeline's name.
        pipeline = "pipeline": String,
        /// The execution's id.
        execution_id = "execution-id": String,
        /// When the stage began.
        start_time = "start-time": String,
        /// The stage's name.
        stage = "stage": String,
        /// When it was tried again last.
        last_retry = "stage-last-retry-attempt-time": String,
        /// The new state.
        state = "state": String,
        /// The version of the pipeline's definition.
        version = "version": Number,
        /// How often the execution was tried.
        attempt = "pipeline-execution-attempt": Number,
    }
}

members! {
    /// An action is in another state: STARTED, SUCCEEDED, FAILED, CANCELED or ABANDONED.
    ActionChange {
        /// The pipeline's name.
        pipeline = "pipeline": String,
        /// The execution's id.
        execution_id = "execution-id": String,
        /// When the action began.
        start_time = "start-time": String,
        /// The stage's name.
        stage = "stage": String,
        /// What the provider says about its end.
        execution_result = "execution-result": ExecutionResult,
        /// What it was given.
        input_artifacts = "input-artifacts": Vec<Artifact>,
        /// What it has made.
        output_artifacts = "output-artifacts": Vec<Artifact>,
        /// The id of this execution of the action; each try has one of its own.
        action_execution_id = "action-execution-id": String,
        /// The action's name.
        action = "action": String,
        /// The new state.
        state = "state": String,
        /// The action's Region.
        region = "region": String,
        /// The action's type.
        action_type = "type": ActionType,
        /// The version of the pipeline's definition.
        version = "version": Number,
        /// How often the execution was tried.
        attempt = "pipeline-execution-attempt": Number,
    }
}

members! {
    /// What the provider says about the end of an action.
    ExecutionResult {
        /// Where to see more.
        url = "external-execution-url": String,
        /// In one line.
        summary = "external-execution-summary": String,
        /// The provider's own id, such as that of a build.
        id = "external-execution-id": String,
        /// What kind of failure it was.
        error_code = "error-code": String,
    }
}

members! {
    /// What an action does.
    ActionType {
        /// `AWS`, `Custom` or `ThirdParty`.
        owner = "owner": String,
        /// The provider.
        provider = "provider": String,
        /// The category.
        category = "category": String,
        /// The version.
        version = "version": Number,
    }
}

members! {
    /// An artifact.
    Artifact {
        /// Its name in the pipeline.
        name = "name": String,
        /// Where it is.
        place = "s3location": ArtifactPlace,
    }
}

members! {
    /// Where an artifact is.
    ArtifactPlace {
        /// The bucket.
        bucket = "bucket": String,
        /// The key.
        key = "key": String,
    }
}
