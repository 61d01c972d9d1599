"""Runs: what is in the folder of one, who writes it and who reads it back.

``layout``          the name of every file and folder, declared once
``cell``            a method with a seed: the unit of work
``study_description``  what a folder must know of its study, and whether the two fit
``identity``        what makes a task and a model the same: their content
``environment``     on what a study ran
``store``           whole cells or nothing: opening the folder, beginning and sealing cells
``cell_locks``      which process has which cell
``cell_seal``       whether a finished cell is as it was; the cards of its models
``scored_file``     a cell's completions with their judgements
``model_answers``   what models have said of completions, beside the question
``record``          ``study.json``, read back
``status``          how a run stands
``verification``    every file against its recorded sum
``task_of_run``     which task a run was of
``result_tables``   tables of ``results/``, read back
``finished_run``    all of it read back, for a report
``judgement_check`` whether what is stored is what the texts score

It knows nothing of study files, engines, reports or the command line.
"""
