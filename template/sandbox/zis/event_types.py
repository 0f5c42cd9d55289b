"""The types of events that Zendesk Support sends to flows."""

SUPPORT = "support"
"""The source of these events; any other is the source system of an inbound webhook."""

_NAMES = {
    "ticket": (
        "AgentAssignmentChanged AttachmentLinkedToComment AttachmentRedactedFromComment BrandChanged "
        "CcsChanged CommentAdded CommentMadePrivate CommentRedacted CustomFieldChanged DescriptionChanged "
        "ExternalIdChanged FollowersChanged GroupAssignmentChanged MarkedAsSpam OrganizationChanged "
        "PriorityChanged ProblemLinkChanged RequesterChanged StatusChanged SubjectChanged SubmitterChanged "
        "TagsChanged TaskDueAtChanged TicketCreated TicketFormChanged TicketMerged TicketPermanentlyDeleted "
        "TicketSoftDeleted TicketTypeChanged TicketUndeleted"
    ),
    "user": (
        "CustomFieldChanged CustomRoleChanged ExternalIdChanged LastLoginChanged OnlyPrivateCommentsChanged "
        "TagsChanged TimeZoneChanged UserAliasChanged UserCreated UserDefaultGroupChanged "
        "UserDetailsChanged UserGroupAdded UserGroupRemoved UserIdentityChanged UserIdentityCreated "
        "UserIdentityRemoved UserIsActiveChanged UserMerged UserNameChanged UserNotesChanged "
        "UserOrganizationAdded UserOrganizationRemoved UserPhotoChanged UserRoleChanged"
    ),
    "organization": "CustomFieldChanged ExternalIdChanged OrganizationCreated TagsChanged",
    "customobject": "CustomObjectRecordChanged CustomObjectRecordCreated CustomObjectRecordDeleted",
    "activity": "UserActivityCreated",
}

EVENT_TYPES = frozenset(f"{kind}.{name}" for kind, names in _NAMES.items() for name in names.split())
