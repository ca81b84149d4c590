#!/bin/sh
# Puts together what is deployed: release.sh FOLDER, where FOLDER has the rendered site.
# The CodeBuild project of infra/example-pipeline.yaml sets the variables.
set -eu
cd "$(dirname "$0")"
out=$1
version=$(cat VERSION)
: "${IMAGE_REPOSITORY:?is set by the CodeBuild project}" "${TASK_FAMILY:?}" "${TASK_EXECUTION_ROLE:?}" "${LOG_GROUP:?}"
: "${HOOK_FUNCTION:?}" "${AWS_REGION:?}" "${CODEBUILD_BUILD_NUMBER:?}"

# A tag is used once: a build that is repeated makes an image of its own.
image=$IMAGE_REPOSITORY:$version-$CODEBUILD_BUILD_NUMBER
if [ "${CODEBUILD_BUILD_IMAGE:-}" = local ]; then
    # The local CodeDeploy serves the folder `site` in place of a container (the label in deploy/taskdef.json).
    echo "no image is built on this machine: the folder site stands in for $image"
else
    aws ecr get-login-password | docker login --username AWS --password-stdin "${IMAGE_REPOSITORY%%/*}"
    docker build --file deploy/Dockerfile --tag "$image" "$out"
    docker push "$image"
fi
printf '{"ImageURI":"%s"}\n' "$image" >"$out/imageDetail.json"

for file in taskdef.json appspec-staging.yaml appspec-production.yaml; do
    sed -e "s|@TASK_FAMILY@|$TASK_FAMILY|" -e "s|@TASK_EXECUTION_ROLE@|$TASK_EXECUTION_ROLE|" \
        -e "s|@LOG_GROUP@|$LOG_GROUP|" -e "s|@AWS_REGION@|$AWS_REGION|" -e "s|@HOOK_FUNCTION@|$HOOK_FUNCTION|" \
        "deploy/$file" >"$out/$file"
done
