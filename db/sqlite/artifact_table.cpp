#include "db/sqlite/checksum.h"
#include "db/sqlite/tables.h"

namespace kiln::db {
namespace {

int64_t checksum(const Artifact& artifact, int64_t size) {
  Checksum sum;
  sum.add(artifact.hash).add(size).add(artifact.target_kind).add(artifact.architecture);
  sum.add(artifact.code_identity).add(artifact.toolchain);
  return sum.value();
}

}  // namespace

Status insert_artifact(Connection& connection, const Artifact& artifact, int64_t size,
                       int64_t used) {
  // The same bytes may come from another source text (a comment changed): the newest is told.
  Statement insert = connection.prepare(
      "INSERT OR REPLACE INTO artifact (hash, size, target_kind, architecture, code_identity, "
      "toolchain, used, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(artifact.hash).bind(size).bind(artifact.target_kind).bind(artifact.architecture);
  insert.bind(artifact.code_identity).bind(artifact.toolchain).bind(used);
  return insert.bind(checksum(artifact, size)).run();
}

StatusOr<std::optional<ArtifactRow>> read_artifact(Tables tables, const std::string& hash) {
  Statement row = tables.connection.prepare(
      "SELECT hash, size, target_kind, architecture, code_identity, toolchain, checksum "
      "FROM artifact WHERE hash = ?");
  row.bind(hash);
  if (!row.next()) {
    KILN_RETURN_IF_ERROR(row.status());
    return std::nullopt;
  }
  ArtifactRow result;
  result.artifact.hash = row.text(0);
  result.size = row.integer(1);
  result.artifact.target_kind = row.text(2);
  result.artifact.architecture = row.text(3);
  result.artifact.code_identity = row.text(4);
  result.artifact.toolchain = row.text(5);
  if (result.artifact.hash != hash || checksum(result.artifact, result.size) != row.integer(6)) {
    ++tables.damaged;
    return std::nullopt;
  }
  return result;
}

Status delete_artifact_row(Connection& connection, const std::string& hash) {
  return connection.prepare("DELETE FROM artifact WHERE hash = ?").bind(hash).run();
}

Status mark_used(Connection& connection, const std::string& hash, int64_t used) {
  return connection.prepare("UPDATE artifact SET used = ? WHERE hash = ?")
      .bind(used)
      .bind(hash)
      .run();
}

StatusOr<int64_t> last_used(Connection& connection) {
  Statement row = connection.prepare("SELECT COALESCE(MAX(used), 0) FROM artifact");
  const int64_t used = row.next() ? row.integer(0) : 0;
  KILN_RETURN_IF_ERROR(row.status());
  return used;
}

StatusOr<std::vector<Kept>> artifacts_by_use(Connection& connection) {
  Statement row = connection.prepare(
      "SELECT hash, size, EXISTS (SELECT 1 FROM winner w WHERE w.artifact_hash = artifact.hash "
      "AND w.replaced_by = 0) AS of_winner FROM artifact ORDER BY of_winner DESC, used DESC, hash");
  std::vector<Kept> kept;
  while (row.next())
    kept.push_back({row.text(0), row.integer(1), row.integer(2) != 0});
  KILN_RETURN_IF_ERROR(row.status());
  return kept;
}

}  // namespace kiln::db
