import Foundation
import MartletPostgres
import MartletStorage
import MartletTestServers
import MartletTestSupport
import Testing

/// A PgBouncer of a test's own, in transaction mode, before the tests' server.
enum Bouncer {
    /// Runs `body` with the URL of the proxy and that of the server, both of an empty schema. Where PgBouncer is missing, nothing runs.
    static func run(connections: Int, _ body: (_ proxy: String, _ server: String) async throws -> Void) async throws {
        try await withPostgresSchema { server in
            guard let program = Program.findOrWarn("pgbouncer") else { return }
            try await withPublicFolder { folder in
                let port = Int.random(in: 20_000..<32_000)
                let file = folder.appendingPathComponent("pgbouncer.ini")
                try configuration(try #require(URLComponents(string: server)), port, connections)
                    .write(to: file, atomically: true, encoding: .utf8)
                if geteuid() == 0 { try await Program.runSuccessfully(["chown", "-R", "postgres", folder.path]) }
                try await Program.beside(Program.unprivileged + [program, file.path], endedBy: SIGTERM) {
                    let proxy = "postgresql://martlet@127.0.0.1:\(port)/martlet"
                    try await answers(proxy)
                    try await body(proxy, server)
                }
            }
        }
    }

    private static func configuration(_ server: URLComponents, _ port: Int, _ connections: Int) throws -> String {
        let options = server.queryItems?.first { $0.name == "options" }?.value ?? ""
        let schema = try #require(options.split(separator: "=").last)
        let target = [
            "host=\(server.host ?? "")", "port=\(server.port ?? 5432)", "dbname=\(server.path.dropFirst())", "user=\(server.user ?? "")",
            "password=\(server.password ?? "")", "connect_query='SET search_path TO \(schema)'",
        ]
        return """
            [databases]
            martlet = \(target.joined(separator: " "))
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = \(connections)
            max_client_conn = 400

            """
    }

    private static func answers(_ proxy: String) async throws {
        let database = try PostgresDatabase(url: proxy, settings: .unshared(1).with { $0.preparedStatements = false }, logger: .silent)
        do {
            try await eventually("PgBouncer answers") { (try? await database.first(Int.self, "SELECT 1")) == 1 }
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }
}
