//! Where a run happens.
