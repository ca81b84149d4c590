#!/bin/sh
# Writes the deployment group's name into the page.
# INSTANCE_ROOT is set by the local CodeDeploy, whose instance is a folder; on a real instance it is empty.
set -eu
page="${INSTANCE_ROOT:-}/var/www/html/index.html"
case $DEPLOYMENT_GROUP_NAME in
    *[!A-Za-z0-9_-]*) echo "unusual deployment group name: $DEPLOYMENT_GROUP_NAME" >&2; exit 1 ;;
esac
sed "s/@ENVIRONMENT@/$DEPLOYMENT_GROUP_NAME/g" "$page" >"$page.new"
mv "$page.new" "$page"
echo "this is $DEPLOYMENT_GROUP_NAME"
