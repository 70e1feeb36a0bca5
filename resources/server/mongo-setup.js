// Makes the replica set and Glassine's own user; run by compose.yaml, does nothing the second time.
const read = (name) => require("fs").readFileSync(`/run/secrets/${name}`, "utf8").trim();
const root = encodeURIComponent(read("mongo-root-password"));
const admin = connect(`mongodb://root:${root}@mongo/admin?directConnection=true`);

try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
while (!admin.hello().isWritablePrimary) sleep(200);

const glassine = admin.getSiblingDB("glassine");
if (glassine.getUser("glassine") === null) {
  glassine.createUser({
    user: "glassine",
    pwd: read("mongo-password"),
    roles: [{ role: "readWrite", db: "glassine" }],
  });
}
