"""How are reports put where others read them: to which place, as which files, under which index?"""
