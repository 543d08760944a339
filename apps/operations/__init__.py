"""What a door calls: the command line today, a web service later. Each takes the wiring and returns a result.

Operations print nothing and know no command line. What only a person can decide is asked through the :class:`Door` that
the caller hands in; it also shows how far the work has come, and words the errors that a run keeps in the history.

Whoever calls one imports it from its module, and so loads what that operation needs and not what the others do.

::

    runs        sync_crm, apply_plan, undo_run
    screening   screen_number
    file_screening  screen_file
    export      export_list
    preflight   check_crm
    setup       plan_setup, plan_removal, emit_setup
    plans       review_plan
    state       purge_state, forget_org, move_state
    erasure     erase_one, export_held
    history     open_history, select_changes
    audit       list_audit, verify_audit, enter_reveal
    keys        rotate_key
    backups     back_up_state, restore_state
    jobs        list_jobs, find_job, retry_job, cancel_job
    schedule    load_schedule
    suppression add_entry, lift_of_record, check_number, open_entries
    suppression_file  check_file
    suppression_lists  import_list, take_away_list
    listings    list_lists
    lifting     lift_number
    tokens      make_token, show_tokens, withdraw_token
"""
