from model.aws.ec2.ec2_instance_state_change_notification.marshaller import StateChange

__all__ = ["StateChange"]
