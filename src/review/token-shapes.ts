/** What a provider's credentials look like. */
export interface TokenShape {
  /** As findings name it. */
  readonly name: string;
  /** Said of it, such as `a GitHub token`. */
  readonly title: string;
  /** Every token begins with one of them; at least 3 characters each. */
  readonly starts: readonly string[];
  /**
   * The whole of a token, from its start; sticky. Every repetition has a bound, and none stands
   * within another, so that no text takes long.
   */
  readonly pattern: RegExp;
  /** How much of a text from the start is looked at; {@link usualTokenBytes} without. */
  readonly maxBytes?: number;
  /** True for one that may not follow a `-` either. */
  readonly isDashed?: boolean;
  /** Where the provider speaks of it. */
  readonly documentedAt: string;
}

export const usualTokenBytes = 512;

/**
 * The shapes that are looked for. Only those that are hard to mistake are here: a fixed beginning
 * and enough random characters. One that anybody may see, such as a Stripe key for tests, is not.
 */
export const tokenShapes: readonly TokenShape[] = [
  {
    name: "age-secret-key",
    title: "an age identity",
    starts: ["AGE-SECRET-KEY-", "AGE-PLUGIN-"],
    pattern:
      /(?:AGE-SECRET-KEY-(?:PQ-)?|AGE-PLUGIN-[A-Z0-9-]{1,30}?-)1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{20,2000}(?![A-Za-z0-9])/y,
    maxBytes: 2100,
    documentedAt: "age-encryption.org/v1, and C2SP age-plugin",
  },
  {
    name: "private-key",
    title: "a private key",
    starts: ["-----BEGIN "],
    pattern:
      /-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[\s\S]){1,160}?[A-Za-z0-9+/=]{40}/y,
    documentedAt: "RFC 7468, sections 10 and 11; PROTOCOL.key of OpenSSH; RFC 9580, section 6.2",
  },
  {
    name: "jwt",
    title: "a JSON web token",
    starts: ["eyJ"],
    pattern: /eyJ[A-Za-z0-9_-]{10,1000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{20,1000}/y,
    maxBytes: 6100,
    isDashed: true,
    documentedAt: "RFC 7519, section 3.1",
  },
  {
    name: "aws-access-key",
    title: "an AWS access key",
    starts: ["AKIA", "ASIA"],
    pattern: /A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])/y,
    documentedAt: "docs.aws.amazon.com, IAM identifiers, Understanding unique ID prefixes",
  },
  {
    name: "azure-storage-key",
    title: "a key of an Azure storage account",
    starts: ["AccountKey="],
    pattern: /AccountKey=[A-Za-z0-9+/]{86}==/y,
    documentedAt: "learn.microsoft.com, Configure Azure Storage connection strings",
  },
  {
    name: "anthropic-key",
    title: "an Anthropic key",
    starts: ["sk-ant-"],
    pattern: /sk-ant-[a-z]{3,6}[0-9]{2}-[A-Za-z0-9_-]{80,120}(?![A-Za-z0-9_-])/y,
    documentedAt: "docs.anthropic.com, Admin API",
  },
  {
    name: "databricks-token",
    title: "a Databricks token",
    starts: ["dapi"],
    pattern: /dapi[0-9a-f]{32}(?:-[0-9])?(?![A-Za-z0-9])/y,
    documentedAt: "docs.databricks.com, Personal access tokens",
  },
  {
    name: "digitalocean-token",
    title: "a DigitalOcean token",
    starts: ["dop_v1_", "doo_v1_", "dor_v1_"],
    pattern: /do[opr]_v1_[0-9a-f]{64}(?![A-Za-z0-9])/y,
    documentedAt: "docs.digitalocean.com, API tokens, token prefixes",
  },
  {
    name: "docker-token",
    title: "a Docker Hub token",
    starts: ["dckr_pat_"],
    pattern: /dckr_pat_[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])/y,
    documentedAt: "docs.docker.com, Personal access tokens",
  },
  {
    name: "github-token",
    title: "a GitHub token",
    starts: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    pattern: /gh[pousr]_[A-Za-z0-9]{36,251}(?![A-Za-z0-9])/y,
    documentedAt: "docs.github.com, About authentication to GitHub, GitHub's token formats",
  },
  {
    name: "github-fine-grained-token",
    title: "a fine-grained GitHub token",
    starts: ["github_pat_"],
    pattern: /github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?![A-Za-z0-9])/y,
    documentedAt: "docs.github.com, About authentication to GitHub, GitHub's token formats",
  },
  {
    name: "gitlab-token",
    title: "a GitLab token",
    starts: ["glpat-", "gldt-", "glrt-", "glptt-", "glcbt-"],
    pattern: /gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{20,300}(?![A-Za-z0-9_-])/y,
    documentedAt: "docs.gitlab.com, GitLab token overview, Token prefixes",
  },
  {
    name: "google-api-key",
    title: "a Google API key",
    starts: ["AIza"],
    pattern: /AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/y,
    documentedAt: "cloud.google.com, Authenticate by using API keys",
  },
  {
    name: "google-oauth-secret",
    title: "a client secret of Google OAuth",
    starts: ["GOCSPX-"],
    pattern: /GOCSPX-[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])/y,
    documentedAt: "developers.google.com, Using OAuth 2.0 to access Google APIs",
  },
  {
    name: "grafana-token",
    title: "a Grafana service account token",
    starts: ["glsa_"],
    pattern: /glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}(?![A-Za-z0-9])/y,
    documentedAt: "grafana.com/docs, Service accounts",
  },
  {
    name: "huggingface-token",
    title: "a Hugging Face token",
    starts: ["hf_"],
    pattern: /hf_[A-Za-z]{34}(?![A-Za-z0-9])/y,
    documentedAt: "huggingface.co/docs, User access tokens",
  },
  {
    name: "linear-key",
    title: "a Linear key",
    starts: ["lin_api_"],
    pattern: /lin_api_[A-Za-z0-9]{40}(?![A-Za-z0-9])/y,
    documentedAt: "linear.app/developers, Personal API keys",
  },
  {
    name: "npm-token",
    title: "an npm token",
    starts: ["npm_"],
    pattern: /npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/y,
    documentedAt: "github.blog, Introducing npm's new access token format",
  },
  {
    name: "openai-key",
    title: "an OpenAI key",
    starts: ["sk-"],
    pattern: /sk-(?:(?:proj|svcacct|admin)-)?[A-Za-z0-9_-]{20,80}?T3BlbkFJ[A-Za-z0-9_-]{20,80}/y,
    documentedAt: "platform.openai.com/docs, Authentication",
  },
  {
    name: "pypi-token",
    title: "a PyPI token",
    starts: ["pypi-AgEI"],
    pattern: /pypi-AgEI[A-Za-z0-9_-]{60,1000}/y,
    documentedAt: "pypi.org/help, API tokens; docs.pypi.org, Secret reporting",
  },
  {
    name: "sendgrid-key",
    title: "a SendGrid key",
    starts: ["SG."],
    pattern: /SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/y,
    documentedAt: "twilio.com/docs/sendgrid, API keys",
  },
  {
    name: "shopify-token",
    title: "a Shopify token",
    starts: ["shpat_", "shpca_", "shppa_", "shpss_"],
    pattern: /shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}(?![A-Za-z0-9])/y,
    documentedAt: "shopify.dev/changelog, Length of the shared secret and access token",
  },
  {
    name: "slack-token",
    title: "a Slack token",
    starts: ["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xapp-"],
    pattern:
      /(?:xox[abprs]-[0-9]{9,15}-[A-Za-z0-9-]{20,200}|xapp-[0-9]-[A-Z0-9]{9,15}-[0-9]{9,15}-[0-9a-f]{64})(?![A-Za-z0-9])/y,
    documentedAt: "api.slack.com/concepts/token-types",
  },
  {
    name: "slack-webhook",
    title: "a Slack webhook",
    starts: ["hooks.slack.com/services/"],
    pattern: /hooks\.slack\.com\/services\/T[A-Z0-9]{8,14}\/B[A-Z0-9]{8,14}\/[A-Za-z0-9]{24}(?![A-Za-z0-9])/y,
    documentedAt: "api.slack.com, Sending messages using incoming webhooks",
  },
  {
    name: "stripe-key",
    title: "a live Stripe key",
    starts: ["sk_live_", "rk_live_"],
    pattern: /[rs]k_live_[A-Za-z0-9]{24,250}(?![A-Za-z0-9])/y,
    documentedAt: "docs.stripe.com/keys",
  },
  {
    name: "stripe-webhook-secret",
    title: "a Stripe webhook secret",
    starts: ["whsec_"],
    pattern: /whsec_[A-Za-z0-9]{32,64}(?![A-Za-z0-9])/y,
    documentedAt: "docs.stripe.com/webhooks/signature",
  },
  {
    name: "twilio-key",
    title: "a Twilio API key",
    starts: Array.from("0123456789abcdef", (digit) => `SK${digit}`),
    pattern: /SK[0-9a-f]{32}(?![A-Za-z0-9])/y,
    documentedAt: "twilio.com/docs/iam/api-keys",
  },
  {
    name: "vault-token",
    title: "a Vault token",
    starts: ["hvs.", "hvb."],
    pattern: /hv[bs]\.[A-Za-z0-9_-]{24,300}(?![A-Za-z0-9_-])/y,
    documentedAt: "developer.hashicorp.com/vault/docs/concepts/tokens",
  },
];
