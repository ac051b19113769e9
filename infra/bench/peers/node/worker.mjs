// A peer of the product's worker: the export with the AWS SDK for JavaScript, its paginator and a multipart upload.
// It gets the ids of the fields from its event, and lists the cells of a row in that order, on purpose by hand.
// The client gives values with their types (`item.SK.S`). The document client would convert them, but uses more CPU.
import http from "node:http";
import { BatchGetItemCommand, DynamoDBClient, paginateQuery } from "@aws-sdk/client-dynamodb";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

const PART_BYTES = 8 * 1024 * 1024;
const dynamodb = new DynamoDBClient({});
const s3 = new S3Client({});
const { USAGE_RECORDS_TABLE, DIRECTORY_TABLE, BUCKET, AWS_LAMBDA_RUNTIME_API } = process.env;

/** Quotes a cell if it must be quoted. */
const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
/** Escapes a cell that a spreadsheet would run as a formula. */
const escapeFormula = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

/** Looks up the items of the directory with these keys, `[PK, SK]`. Gives an empty name to those it does not have. */
async function load(names, keys) {
  for (let start = 0; start < keys.length; start += 100) {
    const Keys = keys.slice(start, start + 100).map(([PK, SK]) => ({ PK: { S: PK }, SK: { S: SK } }));
    let RequestItems = { [DIRECTORY_TABLE]: { Keys } };
    while (RequestItems && Object.keys(RequestItems).length > 0) {
      const answer = await dynamodb.send(new BatchGetItemCommand({ RequestItems }));
      for (const item of answer.Responses[DIRECTORY_TABLE] ?? []) {
        const name = cell(escapeFormula(item.name?.S ?? item.email?.S ?? ""));
        names.set(`${item.PK.S} ${item.SK.S}`, { name, created: item.created_ts?.S ?? "" });
      }
      RequestItems = answer.UnprocessedKeys;
    }
  }
  for (const key of keys.map((key) => key.join(" "))) {
    if (!names.has(key)) names.set(key, { name: "", created: "" });
  }
}

class Upload {
  static async begin(Key) {
    const upload = new Upload();
    const ContentType = "text/csv; charset=utf-8";
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ContentType }));
    upload.target = { Bucket: BUCKET, Key, UploadId };
    upload.parts = [];
    return upload;
  }

  async send(text) {
    const PartNumber = this.parts.length + 1;
    const { ETag } = await s3.send(
      new UploadPartCommand({ ...this.target, PartNumber, Body: Buffer.from(text) }),
    );
    this.parts.push({ ETag, PartNumber });
  }

  complete() {
    const MultipartUpload = { Parts: this.parts };
    return s3.send(new CompleteMultipartUploadCommand({ ...this.target, MultipartUpload }));
  }
}

async function exportAll(job) {
  const organization = `ORG#${job.organization_id}`;
  const names = new Map();
  await load(names, job.workspaces.map((id) => [organization, `WORKSPACE#${id}`]));
  const upload = await Upload.begin(job.key);
  let text = `${job.fields.join(",")}\r\n`;
  for (const workspace of job.workspaces) {
    const workspaceName = names.get(`${organization} WORKSPACE#${workspace}`).name;
    for (const month of job.months) {
      const query = {
        TableName: USAGE_RECORDS_TABLE,
        KeyConditionExpression: "PK = :pk AND SK BETWEEN :first AND :last",
        ExpressionAttributeValues: {
          ":pk": { S: `${workspace}#${month}` },
          ":first": { S: job.first },
          ":last": { S: job.last },
        },
        ConsistentRead: true,
      };
      for await (const { Items } of paginateQuery({ client: dynamodb }, query)) {
        const missing = new Map();
        for (const item of Items) {
          for (const key of [
            [`WORKBOOK#${item.workbook_id.S}`, "WORKBOOK"],
            [organization, `MEMBER#${item.user_id.S}`],
          ]) {
            const joined = key.join(" ");
            if (!names.has(joined)) missing.set(joined, key);
          }
        }
        await load(names, [...missing.values()]);
        for (const item of Items) {
          const sortKey = item.SK.S;
          const hash = sortKey.indexOf("#");
          const workbook = names.get(`WORKBOOK#${item.workbook_id.S} WORKBOOK`);
          const user = names.get(`${organization} MEMBER#${item.user_id.S}`);
          const ids = `${cell(workspace)},${workspaceName},${cell(item.workbook_id.S)},${workbook.name}`;
          const run = `${cell(sortKey.slice(hash + 1))},${item.credit_cost?.N ?? ""},${sortKey.slice(0, hash)}`;
          text +=
            `${ids},${workbook.created},${cell(item.user_id.S)},${user.name},${run},` +
            `${item.finished_ts?.S ?? ""}\r\n`;
        }
        if (text.length >= PART_BYTES) {
          await upload.send(text);
          text = "";
        }
      }
    }
  }
  await upload.send(text);
  await upload.complete();
}

const agent = new http.Agent({ keepAlive: true });

/** Calls the Runtime API of Lambda. */
function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/${path}`,
      { method, agent },
      async (response) => {
        const chunks = await response.toArray();
        resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

for (;;) {
  const { headers, body } = await call("GET", "next");
  const id = headers["lambda-runtime-aws-request-id"];
  try {
    await exportAll(JSON.parse(body));
    await call("POST", `${id}/response`, "{}");
  } catch (error) {
    const failure = { errorType: error.name, errorMessage: String(error.stack) };
    await call("POST", `${id}/error`, JSON.stringify(failure));
  }
}
