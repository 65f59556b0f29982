"""What CloudFormation's handlers may call for the template's types, and never do for this template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Unused:
    """What the handlers of a type need for something that the template does without.

    `property` is the property that asks for it, where there is one: once the template declares that, this is stale.
    `actions` are separated by spaces.
    """

    type_name: str
    actions: str
    reason: str
    property: str = ""


_TABLES_FOR_METADATA: Final = (
    "s3:CreateBucketMetadataTableConfiguration s3:DeleteBucketMetadataTableConfiguration "
    "s3:UpdateBucketMetadataAnnotationTableConfiguration s3:UpdateBucketMetadataInventoryTableConfiguration "
    "s3:UpdateBucketMetadataJournalTableConfiguration s3tables:CreateNamespace s3tables:CreateTable "
    "s3tables:CreateTableBucket s3tables:GetTable s3tables:GetTableMetadataLocation s3tables:PutTableBucketPolicy "
    "s3tables:PutTableEncryption s3tables:PutTablePolicy s3tables:UpdateTableMetadataLocation"
)
UNUSED: Final[Sequence[Unused]] = (
    Unused("AWS::ApiGatewayV2::Api", "s3:GetObject", "the body stands in the template", "BodyS3Location"),
    Unused(
        "AWS::CertificateManager::Certificate",
        "acm-pca:GetCertificate acm-pca:IssueCertificate",
        "a public certificate",
        "CertificateAuthorityArn",
    ),
    Unused("AWS::CloudFront::Distribution", "cloudfront:GetVpcOrigin", "the origin is public"),
    Unused(
        "AWS::CloudFront::Distribution", "cloudfront:UpdateDistributionWithStagingConfig", "no staging distribution"
    ),
    Unused("AWS::CodeDeploy::DeploymentGroup", "codedeploy:RegisterOnPremisesInstance", "it deploys functions"),
    Unused(
        "AWS::DynamoDB::Table",
        "dynamodb:ImportTable logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents kms:Encrypt",
        "nothing is imported",
        "ImportSourceSpecification",
    ),
    Unused(
        "AWS::DynamoDB::Table",
        "dynamodb:DisableKinesisStreamingDestination dynamodb:EnableKinesisStreamingDestination "
        "dynamodb:UpdateKinesisStreamingDestination kinesis:DescribeStream kinesis:PutRecords",
        "no stream to Kinesis",
        "KinesisStreamSpecification",
    ),
    Unused(
        "AWS::DynamoDB::Table",
        "dynamodb:AssociateTableReplica dynamodb:BatchWriteItem dynamodb:CreateTableReplica dynamodb:DeleteItem "
        "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:Scan dynamodb:UpdateItem kms:ListAliases "
        "kms:RevokeGrant",
        "the table has no replica",
    ),
    Unused("AWS::DynamoDB::Table", "dynamodb:UpdateContributorInsights", "off", "ContributorInsightsSpecification"),
    Unused(
        "AWS::DynamoDB::Table",
        "dynamodb:DeleteResourcePolicy dynamodb:PutResourcePolicy",
        "the table has no policy",
        "ResourcePolicy",
    ),
    Unused(
        "AWS::EC2::VPCEndpoint",
        "vpc-lattice:CreateServiceNetworkVpcEndpointAssociation",
        "no service network",
        "ServiceNetworkArn",
    ),
    Unused("AWS::EC2::VPCEndpoint", "vpce:AllowMultiRegion", "the service is in the VPC's region", "ServiceRegion"),
    Unused(
        "AWS::IAM::Role",
        "iam:DeleteRolePermissionsBoundary",
        "a role without its boundary could do anything: deleting and making it anew is the only way to change that",
    ),
    Unused(
        "AWS::Lambda::Function",
        "elasticfilesystem:DescribeMountTargets s3files:ListMountTargets",
        "no file system",
        "FileSystemConfigs",
    ),
    Unused("AWS::Lambda::Function", "s3:GetObjectVersion", "a package is named after its content, not by a version"),
    Unused("AWS::Lambda::Function", "kms:Encrypt", "variables hold no secrets", "KmsKeyArn"),
    Unused("AWS::Lambda::Function", "lambda:PassCapacityProvider", "no capacity provider", "CapacityProviderConfig"),
    Unused(
        "AWS::Logs::DeliveryDestination",
        "logs:DeleteDeliveryDestinationPolicy logs:GetDeliveryDestinationPolicy logs:PutDeliveryDestinationPolicy",
        "no delivery from another account",
        "DeliveryDestinationPolicy",
    ),
    Unused(
        "AWS::Logs::DeliverySource",
        "codewhisperer:AllowVendedLogDeliveryForResource workmail:AllowVendedLogDeliveryForResource",
        "the source is a distribution",
    ),
    Unused(
        "AWS::Logs::LogGroup",
        "firehose:TagDeliveryStream logs:DeleteDataProtectionPolicy logs:PutDataProtectionPolicy",
        "message text never reaches a log",
        "DataProtectionPolicy",
    ),
    Unused(
        "AWS::Logs::LogGroup", "logs:DeleteIndexPolicy logs:PutIndexPolicy", "no field is indexed", "FieldIndexPolicies"
    ),
    Unused("AWS::Logs::LogGroup", "logs:DeleteResourcePolicy", "no policy of its own", "ResourcePolicyDocument"),
    Unused("AWS::Logs::LogGroup", "logs:PutLogGroupDeletionProtection", "off", "DeletionProtectionEnabled"),
    Unused("AWS::Logs::LogGroup", "logs:PutBearerTokenAuthentication", "off", "BearerTokenAuthenticationEnabled"),
    Unused("AWS::S3::Bucket", _TABLES_FOR_METADATA, "no table of metadata", "MetadataTableConfiguration"),
    Unused("AWS::S3::Bucket", "s3:DeleteObject s3:PutObjectAcl", "no handler may touch what is in a bucket"),
    Unused("AWS::S3::Bucket", "s3:PutAccelerateConfiguration", "off", "AccelerateConfiguration"),
    Unused("AWS::S3::Bucket", "s3:PutAnalyticsConfiguration", "off", "AnalyticsConfigurations"),
    Unused("AWS::S3::Bucket", "s3:PutBucketAbac", "off", "AbacStatus"),
    Unused("AWS::S3::Bucket", "s3:PutBucketAcl", "ACLs are off", "AccessControl"),
    Unused("AWS::S3::Bucket", "s3:PutBucketLogging", "off", "LoggingConfiguration"),
    Unused("AWS::S3::Bucket", "s3:PutBucketNotification", "nobody is told", "NotificationConfiguration"),
    Unused("AWS::S3::Bucket", "s3:PutBucketObjectLockConfiguration", "off", "ObjectLockEnabled"),
    Unused("AWS::S3::Bucket", "s3:DeleteBucketWebsite s3:PutBucketWebsite", "no website", "WebsiteConfiguration"),
    Unused("AWS::S3::Bucket", "s3:PutIntelligentTieringConfiguration", "off", "IntelligentTieringConfigurations"),
    Unused("AWS::S3::Bucket", "s3:PutInventoryConfiguration", "off", "InventoryConfigurations"),
    Unused("AWS::S3::Bucket", "s3:PutMetricsConfiguration", "off", "MetricsConfigurations"),
    Unused("AWS::S3::Bucket", "s3:PutReplicationConfiguration", "no replica", "ReplicationConfiguration"),
    Unused("AWS::SNS::Topic", "sns:PutDataProtectionPolicy", "alarms hold no data", "DataProtectionPolicy"),
    Unused("AWS::WAFv2::LoggingConfiguration", "firehose:ListDeliveryStreams", "the log goes to a log group"),
    Unused("AWS::SecretsManager::Secret", "secretsmanager:GetSecretValue", "no handler may read what is in a secret"),
    Unused(
        "AWS::SecretsManager::Secret",
        "secretsmanager:RemoveRegionsFromReplication secretsmanager:ReplicateSecretToRegions",
        "no replica",
        "ReplicaRegions",
    ),
)
