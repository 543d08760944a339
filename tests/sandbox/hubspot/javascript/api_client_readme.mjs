// The walk through the documentation of HubSpot's JavaScript client, against the stand-in whose address and token are in
// the environment. Prints what it was answered, as JSON.
import { createRequire } from "node:module";

const hubspot = createRequire(process.env.HUBSPOT_FROM)("@hubspot/api-client");
const client = new hubspot.Client({ accessToken: process.env.HUBSPOT_TOKEN, basePath: process.env.HUBSPOT_URL });
const contacts = client.crm.contacts;
const told = {};

const made = await contacts.basicApi.create({ properties: { firstname: "Java", lastname: "Script" } });
told.create = made.properties.firstname;
told.read = (await contacts.basicApi.getById(made.id, ["lastname"])).properties.lastname;
told.page = (await contacts.basicApi.getPage(5, undefined, ["phone"])).results.length;
told.all = (await contacts.getAll()).length;

const changed = { id: made.id, properties: { lastname: "Scripted" } };
told.batch = (await contacts.batchApi.update({ inputs: [changed] })).status;

const search = await contacts.searchApi.doSearch({
  filterGroups: [
    { filters: [{ propertyName: "createdate", operator: "GTE", value: `${Date.now() - 365 * 24 * 3600_000}` }] },
  ],
  sorts: ["-createdate"],
  properties: ["createdate", "firstname", "lastname"],
  limit: 100,
  after: "0",
});
told.search = search.total > 0;

told.unwrapped = (await client.apiRequest({ method: "GET", path: "/crm/v3/objects/contacts" })).status;
told.missing = await contacts.basicApi.getById("1").catch((error) => error.code);
told.properties = (await client.crm.properties.coreApi.getAll("contacts")).results.length > 10;
told.archived = await contacts.basicApi.archive(made.id).then(() => contacts.basicApi.getById(made.id)).catch((error) => error.code);

console.log(JSON.stringify(told));
