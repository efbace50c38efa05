import HTTPTypes
import MartletContract
import MartletCore

/// Finds the route of a request. Literal segments win over named ones; what is under one path shares its methods.
struct RouteTable: Sendable {
    private var root = Node()

    /// Traps when two routes claim one method of one path: the server would serve only one of them.
    init(_ routes: [Route]) {
        for route in routes { root.add(route, at: route.operation.path.segments[...]) }
    }

    struct Match: Sendable {
        let route: Route?
        let parameters: [(name: String, value: String)]
        /// The methods of the path, for `Allow`.
        let allowed: String
    }

    /// What is under a path; `nil` when nothing is. Throws for a path that cannot be decoded.
    func match(_ method: HTTPRequest.Method, _ path: Substring) throws -> Match? {
        var values: [String] = []
        let segments = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0) }
        guard path.utf8.first == UInt8(ascii: "/"), let node = try root.find(path.utf8.count > 1 ? segments[...] : [], &values) else {
            return nil
        }
        let route = node.routes[method] ?? (method == .head ? node.routes[.get] : nil)
        let names = (route ?? node.routes.values.first)?.operation.path.parameterNames ?? []
        return Match(route: route, parameters: zip(names, values).map { ($0, $1) }, allowed: node.allowed)
    }

    private struct Node: Sendable {
        var literals: [String: Node] = [:]
        private var parameters: [Node] = []
        var routes: [HTTPRequest.Method: Route] = [:]
        var allowed = ""

        mutating func add(_ route: Route, at path: ArraySlice<PathTemplate.Segment>) {
            switch path.first {
            case nil:
                precondition(routes[route.operation.method] == nil, "\(route.operation.method) \(route.operation.path) is declared twice.")
                routes[route.operation.method] = route
                allowed = Node.allowed(routes.keys)
            case .literal(let text): literals[text, default: Node()].add(route, at: path.dropFirst())
            case .parameter:
                if parameters.isEmpty { parameters.append(Node()) }
                parameters[0].add(route, at: path.dropFirst())
            }
        }

        private static func allowed(_ methods: some Collection<HTTPRequest.Method>) -> String {
            let extra: [HTTPRequest.Method] = methods.contains(.get) ? [.head, .options] : [.options]
            return (methods.map { $0 } + extra).map(\.rawValue).sorted().joined(separator: ", ")
        }

        func find(_ segments: ArraySlice<Substring>, _ values: inout [String]) throws -> Node? {
            guard let segment = segments.first else { return routes.isEmpty ? nil : self }
            guard let text = PercentEncoding.decode(segment) else {
                throw Failure.malformed("invalid_path", "The path has a broken percent-encoding.")
            }
            if let literal = literals[text], let found = try literal.find(segments.dropFirst(), &values) { return found }
            guard let parameter = parameters.first, !text.isEmpty else { return nil }
            values.append(text)
            if let found = try parameter.find(segments.dropFirst(), &values) { return found }
            values.removeLast()
            return nil
        }
    }
}
