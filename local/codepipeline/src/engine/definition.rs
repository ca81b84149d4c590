//! Creating, changing and deleting pipelines.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::model::{ExecutionRef, Pipeline, Place};
use super::{Engine, StartRequest};
use crate::declaration::{ExecutionMode, PipelineDeclaration};
use crate::error::ApiError;

/// The most pipelines of one Region (AWS CodePipeline guide, quotas).
const PIPELINES: usize = 1000;

impl Engine {
    /// CreatePipeline.
    pub(crate) fn create_pipeline(
        &mut self,
        now: Timestamp,
        mut declaration: PipelineDeclaration,
        tags: BTreeMap<String, String>,
    ) -> Result<Arc<PipelineDeclaration>, ApiError> {
        let name = declaration.name.clone();
        if self.pipelines.contains_key(&name) {
            let message =
                format!("A pipeline with the name '{name}' already exists in account '{}'", self.settings.account_id);
            return Err(ApiError::new("PipelineNameInUseException", message));
        }
        if self.pipelines.len() >= PIPELINES {
            return Err(ApiError::new("LimitExceededException", "there are 1000 pipelines already; delete one"));
        }
        declaration.check_structure(&self.types)?;
        self.check_regions(&declaration)?;
        declaration.version = 1;
        let declaration = Arc::new(declaration);
        let pipeline = Pipeline {
            version: 1,
            versions: BTreeMap::from([(1, Arc::clone(&declaration))]),
            created: now,
            updated: now,
            tags,
            transitions: BTreeMap::new(),
            executions: Vec::new(),
            latest: BTreeMap::new(),
            request_tokens: HashMap::new(),
        };
        self.pipelines.insert(name.clone(), pipeline);
        let startable = declaration.variables.iter().all(|variable| variable.default_value.is_some());
        if self.settings.start_on_create && startable {
            let detail = self.settings.caller_arn.clone();
            let request = StartRequest { trigger: ("CreatePipeline".to_owned(), detail), ..StartRequest::default() };
            self.start_execution(now, &name, request)?;
        }
        Ok(declaration)
    }

    /// UpdatePipeline. Executions that run are cancelled, those of the PARALLEL mode excepted.
    pub(crate) fn update_pipeline(
        &mut self,
        now: Timestamp,
        mut declaration: PipelineDeclaration,
    ) -> Result<Arc<PipelineDeclaration>, ApiError> {
        let name = declaration.name.clone();
        let former = Arc::clone(self.pipeline(&name)?.declaration());
        declaration.version = former.version + 1;
        self.types.unmask(&mut declaration, &former);
        declaration.check_structure(&self.types)?;
        self.check_regions(&declaration)?;
        let affected = |mode: ExecutionMode| mode != ExecutionMode::Parallel;
        for index in 0..self.pipeline(&name)?.executions.len() {
            let at = ExecutionRef { pipeline: name.clone(), index };
            let execution = self.execution(&at);
            if !execution.status.is_final() && affected(execution.mode) {
                self.cancel_execution(now, &at);
            }
        }
        let declaration = Arc::new(declaration);
        let pipeline = self.pipeline_mut(&name)?;
        pipeline.version = declaration.version;
        pipeline.versions.insert(declaration.version, Arc::clone(&declaration));
        pipeline.updated = now;
        pipeline.transitions.retain(|stage, _| declaration.stages.iter().any(|declared| declared.name == *stage));
        Ok(declaration)
    }

    /// Custom actions run in the Region of their pipeline only (AWS CodePipeline guide, cross-Region actions).
    fn check_regions(&self, declaration: &PipelineDeclaration) -> Result<(), ApiError> {
        let own = &self.settings.region;
        for stage in &declaration.stages {
            let custom = stage.actions.iter().filter(|action| action.action_type_id.owner == "Custom");
            let elsewhere = custom.filter_map(|action| Some((&action.name, action.region.as_ref()?)));
            if let Some((name, region)) = elsewhere.into_iter().find(|(_, region)| *region != own) {
                let message = format!(
                    "action {name} in stage {} runs in {region}; a custom action runs in the Region of its pipeline, {own}",
                    stage.name
                );
                return Err(ApiError::new("InvalidActionDeclarationException", message));
            }
        }
        Ok(())
    }

    /// Replaces the tags of a pipeline.
    pub(crate) fn set_tags(&mut self, name: &str, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
        self.pipeline_mut(name)?.tags = tags;
        Ok(())
    }

    /// DeletePipeline. A pipeline that does not exist is deleted already.
    pub(crate) fn delete_pipeline(&mut self, now: Timestamp, name: &str) {
        let Some(pipeline) = self.pipelines.get(name) else { return };
        for index in 0..pipeline.executions.len() {
            let at = ExecutionRef { pipeline: name.to_owned(), index };
            if self.execution(&at).place != Place::Ended {
                self.cancel_execution(now, &at);
            }
        }
        self.pipelines.remove(name);
        self.actions.retain(|_, at| at.execution.pipeline != name);
        let actions = &self.actions;
        self.jobs.retain(|_, job| actions.contains_key(&job.action_execution_id));
        let jobs = &self.jobs;
        self.queued_jobs.retain(|queued| jobs.contains_key(queued));
    }
}
