import HTTPTypes
public import MartletContract
import MartletIdentity

/// Who may call which endpoint, by the built-in roles, as a table in Markdown: the document docs/permissions.md.
public enum PermissionTable {
    /// The same text for the same declarations.
    public static var document: String {
        """
        # Permissions

        Which endpoint asks for what, and which built-in role has it. Made from the declarations by `martlet permissions`; `make openapi`
        writes it.

        An account has one or more roles, `member` unless others were chosen, and may do what any of them may. Custom roles are made of the
        permissions below: `POST /api/v1/admin/roles`. In an organisation its owners and administrators have every shared permission, and other
        members those of their role there.

        *Signed in* is whoever comes with an access token or an API key. *A login* wants the token: it is for what people do, and programs in
        their place may not. An API key may do what is among its own permissions and, at that moment, among its owner's.

        ## Endpoints

        \(endpoints)

        ## Permissions

        \(permissions)

        """
    }

    private static var endpoints: String {
        let rows = App.operations.map { named in
            let operation = named.operation
            return ["`\(operation.method.rawValue) \(operation.path)`", operation.access.inWords]
                + BuiltInRole.allCases.map { operation.access.isAllowed(to: $0) ? "yes" : "" }
        }
        return markdown(["endpoint", "asks for"] + BuiltInRole.allCases.map { "`\($0.rawValue)`" }, rows)
    }

    private static var permissions: String {
        let rows = App.permissions.sorted { $0.permission < $1.permission }.map { grant in
            ["`\(grant.permission)`", grant.isShared ? "yes" : ""] + BuiltInRole.allCases.map { grant.roles.contains($0) ? "yes" : "" }
        }
        return markdown(["permission", "shared"] + BuiltInRole.allCases.map { "`\($0.rawValue)`" }, rows)
    }

    private static func markdown(_ head: [String], _ rows: [[String]]) -> String {
        ([head, head.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }
}

extension Access {
    /// Who may call, in words.
    public var inWords: String {
        switch self {
        case .anyone: "anyone"
        case .signedIn: "signed in"
        case .loggedIn: "a login"
        case .permission(let permission): permission.raw
        }
    }

    /// Whether whoever has a role, and no other, may call.
    public func isAllowed(to role: BuiltInRole) -> Bool {
        switch self {
        case .anyone, .signedIn, .loggedIn: true
        case .permission(let permission): App.roles.permissions(of: role).contains(permission)
        }
    }
}
