import HTTPTypes
import MartletApp
import MartletContract
import MartletCore
import MartletTestKit
import NIOHTTP1
import Testing

/// Every path answers HEAD, OPTIONS and methods that it has not.
@Suite("A path's methods", .everyDatabase)
struct PathMethods {
    @Test func headIsGetWithoutTheBody() async throws {
        try await withApp { app in
            let token = try await app.operatorToken()
            for named in App.operations where named.operation.method == .get && !named.operation.isEventStream {
                let target = try DeclaredRequest(named.operation).target
                let fields = ["Authorization: Bearer \(token)", "X-Request-ID: the-same", "Accept-Encoding: gzip"]
                let get = try await app.exchange("GET \(target)", fields)
                let head = try await app.exchange("HEAD \(target)", fields)
                #expect(head.status == get.status, "\(named.identifier)")
                #expect(head.comparableFields(of: named) == get.comparableFields(of: named), "\(named.identifier)")
                #expect(head.body.isEmpty && !get.body.isEmpty, "\(named.identifier)")
            }
        }
    }

    @Test func headOfNothingIs404WithoutABody() async throws {
        try await withApp { app in
            let answer = try await app.exchange("HEAD /nothing")
            #expect(answer.status == 404)
            #expect(answer.body.isEmpty)
        }
    }

    @Test func optionsTellsThemToAnyone() async throws {
        try await withApp { app in
            for (path, methods) in App.operations.methodsByPath {
                let answer = try await app.raw(.OPTIONS, path)
                #expect(answer.status == 204 && answer.bytes.isEmpty, "\(path)")
                let implied: Set<String> = methods.contains("GET") ? ["HEAD", "OPTIONS"] : ["OPTIONS"]
                #expect(answer.allowed == methods.union(implied), "\(path)")
            }
            #expect(try await app.exchange("OPTIONS *").status == 204)
        }
    }

    @Test func othersAreRefusedWithAListOfThem() async throws {
        try await withApp { app in
            let token = try await app.token()
            for (path, methods) in App.operations.methodsByPath {
                for method in Set(["GET", "POST", "PUT", "PATCH", "DELETE"]).subtracting(methods) {
                    let answer = try await app.raw(HTTPMethod(rawValue: method), path, token: token)
                    #expect(answer.status == 405, "\(method) \(path)")
                    #expect(answer.allowed.isSuperset(of: methods) && !answer.allowed.contains(method), "\(method) \(path)")
                    #expect(try answer.problem().code == "method_not_allowed", "\(method) \(path)")
                }
            }
        }
    }

    @Test func methodsNobodyKnowsAreRefused() async throws {
        try await withApp { app in
            for method in ["TRACE", "PROPFIND", "get", "GETT", "BREW"] {
                let answer = try await app.exchange("\(method) /health/live")
                #expect((400..<500).contains(answer.status), "\(method)")
                #expect(try answer.problem().status == answer.status, "\(method)")
            }
        }
    }
}

extension [NamedOperation] {
    /// Each path, filled in with examples, and the methods declared for it.
    fileprivate var methodsByPath: [String: Set<String>] {
        reduce(into: [:]) { paths, named in
            let values = Dictionary(named.operation.example.path.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            guard let path = named.operation.path.expanded(with: values) else { return }
            paths[path, default: []].insert(named.operation.method.rawValue)
        }
    }
}

extension RawAnswer {
    fileprivate var allowed: Set<String> {
        Set((headers.first(name: "Allow") ?? "").split(separator: ",").map { $0.filter { $0 != " " } })
    }
}

extension SocketAnswer {
    /// Without what may differ: the moment, and the framing of a body that is sent while it is made.
    fileprivate func comparableFields(of named: NamedOperation) -> [String: String] {
        // How long something took is said in more or fewer digits.
        let tellsTimes = ["system_redis", "system_database", "system_detailed"].contains(named.identifier)
        let all = Dictionary(fields.map { ($0.name, $0.value) }, uniquingKeysWith: { "\($0), \($1)" })
        return all.filter { !["date", "transfer-encoding", tellsTimes ? "content-length" : ""].contains($0.key) }
    }
}
