// MartletGovernanceAPI: what may be asked about models, their data and their analyses. Shared by server, client, documentation and tests.

public import MartletContract

/// Models, data sets and analyses.
///
/// Its permissions come before its endpoints, so that roles, and the tokens of those who have them, mean today what they will mean then.
public struct GovernanceAPI: API {
    public static let shared = GovernanceAPI()
    public static let name = "governance"

    public static let permissions: [PermissionGrant] = [
        .shared("models:read", to: .analyst, .viewer, .apiUser), .shared("models:write", to: .analyst), .shared("models:delete"),
        .shared("datasets:read", to: .analyst, .viewer, .apiUser), .shared("datasets:write", to: .analyst), .shared("datasets:delete"),
        .shared("analyses:read", to: .analyst, .viewer, .apiUser), .shared("analyses:run", to: .analyst, .apiUser),
        .shared("analyses:delete"),
    ]
}
